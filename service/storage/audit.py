"""The audit trail: the table, and the store that keeps to `service.login.audit.Audit`.

Entries are only ever added (a trigger refuses changes) and go when they are older than they are kept.
"""

import itertools
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import sqlalchemy as sa

from service.login.audit import Entry
from service.services import Unavailable
from service.storage.audit_buffer import Notes
from service.storage.engine.database import Database, Plain, Row, Statement, metadata

PAGE: Final = 500
SWEPT_EVERY: Final = 20
SWEPT_AT_ONCE: Final = 200

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
    sa.Index("audit_by_time", "at"),
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
        audit.c.id.in_(
            sa.select(audit.c.id)
            .where(audit.c.at <= sa.bindparam("before"))
            .limit(sa.bindparam("most"))
            .with_for_update(skip_locked=True)
        )
    )
)


class SqlAudit:
    """The trail in a database. `add` and `entries` raise Unavailable when it does not answer; `note` never does."""

    def __init__(self, database: Database, *, kept_seconds: int) -> None:
        self._database = database
        self._kept = kept_seconds
        self._writes = itertools.count(1)
        self._noted = Notes(self._write)

    def add(self, entry: Entry) -> None:
        self._database.run(_ADD, **_values(entry))
        if next(self._writes) % SWEPT_EVERY == 0:
            self._sweep(entry.at)

    def note(self, *entries: Entry) -> None:
        self._noted.take(entries)

    def entries(self, *, account: str | None = None, since: int = 0) -> Iterator[Entry]:
        """Read page by page, newest first: a slow reader holds no transaction open."""
        statement, which = (_PAGE, {}) if account is None else (_PAGE_OF_ACCOUNT, {"account": account})
        before = 2**62
        while rows := self._database.run(statement, before=before, page=PAGE, **which):
            yield from (entry for entry in map(_entry, rows) if entry.at >= since)
            before, oldest = rows[-1][0], rows[-1][1]
            if oldest < since:
                return

    def _write(self, entries: list[Entry]) -> None:
        """Write what was noted, in one transaction. Raises Unavailable."""
        with self._database.transaction():
            for entry in entries:
                self._database.run(_ADD, **_values(entry))
        with suppress(Unavailable):  # what is left goes the next time; the entries are written
            self._sweep(entries[-1].at)

    def _sweep(self, now: int) -> None:
        self._database.run(_SWEEP, before=now - self._kept, most=SWEPT_AT_ONCE)


def _values(entry: Entry) -> dict[str, Any]:
    return {
        "at": entry.at,
        "event": str(entry.event),
        "account": entry.account,
        "address": entry.address,
        "by": entry.by,
        "outcome": entry.outcome,
        "detail": entry.detail,
    }


def _entry(row: Row) -> Entry:
    return Entry(*row[1:])
