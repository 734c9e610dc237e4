"""The audit trail: the table, and the store that keeps to `service.login.audit.Audit`.

Entries are only ever added (a trigger refuses changes) and go when they are older than they are kept. What is noted
waits in memory for a second at most, so that a flood of wrong passwords costs one transaction a second, not one each.
"""

import itertools
import logging
import threading
from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa

from service.login.audit import Entry, Happened
from service.services import Unavailable
from service.storage.database import Database, Plain, Row, Statement, metadata

PAGE: Final = 500
NOTES_WAIT_SECONDS: Final = 1.0
MOST_NOTES: Final = 2000
SWEPT_EVERY: Final = 20
SWEPT_AT_ONCE: Final = 200
_log: Final = logging.getLogger(__name__)

audit: Final = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("account", Plain, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Index("audit_by_account", "account", "id"),
)
_FACTS: Final = [column for column in audit.c if column.name != "id"]
_ADD: Final = Statement(sa.insert(audit).values({column.name: sa.bindparam(column.name) for column in _FACTS}))


def _page(*which: sa.ColumnElement[bool]) -> Statement:
    older = audit.c.id < sa.bindparam("before")
    return Statement(
        sa.select(audit.c.id, *_FACTS).where(older, *which).order_by(audit.c.id.desc()).limit(sa.bindparam("page"))
    )


_PAGE: Final = _page()
_PAGE_OF_ACCOUNT: Final = _page(audit.c.account == sa.bindparam("account"))
_SWEEP: Final = Statement(
    sa.delete(audit).where(
        audit.c.at <= sa.bindparam("before"),
        audit.c.id.in_(sa.select(audit.c.id).order_by(audit.c.id).limit(sa.bindparam("most"))),
    )
)


class SqlAudit:
    """The trail in a database. `add` and `entries` raise Unavailable when it does not answer; `note` never does."""

    def __init__(self, database: Database, *, kept_seconds: int) -> None:
        self._database = database
        self._kept = kept_seconds
        self._writes = itertools.count(1)
        self._noting = threading.Lock()
        self._notes: list[Entry] = []
        self._lost = 0

    def add(self, entry: Entry) -> None:
        self._database.run(_ADD, **_values(entry))
        if next(self._writes) % SWEPT_EVERY == 0:
            self._database.run(_SWEEP, before=entry.at - self._kept, most=SWEPT_AT_ONCE)

    def note(self, entry: Entry) -> None:
        """The first note of a second has all of that second written at its end; a process that exits waits for it."""
        with self._noting:
            if len(self._notes) >= MOST_NOTES:
                self._lost += 1
                return
            self._notes.append(entry)
            if len(self._notes) == 1:
                threading.Timer(NOTES_WAIT_SECONDS, self._write_notes).start()

    def entries(self, *, account: str | None = None, since: int = 0) -> Iterator[Entry]:
        """Read page by page, newest first: a slow reader holds no transaction open."""
        statement, which = (_PAGE, {}) if account is None else (_PAGE_OF_ACCOUNT, {"account": account})
        before = 2**62
        while rows := self._database.run(statement, before=before, page=PAGE, **which):
            yield from (entry for entry in map(_entry, rows) if entry.at >= since)
            before, oldest = rows[-1][0], rows[-1][1]
            if oldest < since:
                return

    def _write_notes(self) -> None:
        with self._noting:
            noted, lost = self._notes, self._lost
            self._notes, self._lost = [], 0
        try:
            with self._database.transaction():
                for entry in noted:
                    self.add(entry)
        except Unavailable as away:
            _log.warning("the audit trail was not written (%s)", away)
            lost += len(noted)
        if lost:
            _log.error("%d entries are in the log and not in the audit trail", lost)


def _values(entry: Entry) -> dict[str, Any]:
    return {
        "at": entry.at,
        "event": entry.event.value,
        "account": entry.account,
        "address": entry.address,
        "by": entry.by,
        "outcome": entry.outcome,
        "detail": entry.detail,
    }


def _entry(row: Row) -> Entry:
    _, at, event, account, address, by, outcome, detail = row
    return Entry(at, Happened(event), account, address, by, outcome, detail)
