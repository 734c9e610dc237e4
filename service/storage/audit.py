"""The audit trail: the table, and the store that keeps to `service.login.audit.Audit`.

Entries are only ever added (a trigger refuses changes) and go when they are older than they are kept.
"""

from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from service.login.audit import FROM_KNOWN_DEVICE, Entry, Happened
from service.services.store_state import SIGN_IN_SECONDS, SignIns
from service.storage.audit_buffer import AuditBuffer
from service.storage.engine.database import Database
from service.storage.engine.statement import Plain, Statement, metadata, values_of
from service.storage.engine.sweeps import Sweep

PAGE: Final = 500
SWEPT_EVERY: Final = 20

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
_SIGN_INS: Final = Statement(
    sa.select(audit.c.event, sa.func.count(), sa.func.count().filter(audit.c.detail == FROM_KNOWN_DEVICE))
    .where(
        audit.c.at > sa.bindparam("after"),
        audit.c.at <= sa.bindparam("until"),
        sa.or_(*(audit.c.event == each.value for each in (Happened.SIGNED_IN, Happened.SIGN_IN_REFUSED))),
    )
    .group_by(audit.c.event)
)


class SqlAudit:
    """The trail in a database. `add` and `entries` raise Unavailable when it does not answer; `note` never does."""

    def __init__(self, database: Database, *, kept_seconds: int) -> None:
        self._database = database
        self._kept = kept_seconds
        self._sweep = Sweep(database, audit.c.id, audit.c.at, every=SWEPT_EVERY)
        self._buffer = AuditBuffer(self._write)

    def add(self, entry: Entry) -> None:
        self._database.run(_ADD, **values_of(_FACTS, entry))
        self._sweep.count(before=entry.at - self._kept)

    def note(self, *entries: Entry) -> None:
        self._buffer.take(entries)

    def entries(self, *, account: str | None = None, since: int = 0) -> Iterator[Entry]:
        """Read page by page, newest first: a slow reader holds no transaction open."""
        statement, which = (_PAGE, {}) if account is None else (_PAGE_OF_ACCOUNT, {"account": account})
        before = 2**62
        while rows := self._database.run(statement, before=before, page=PAGE, **which):
            yield from (entry for _, *facts in rows if (entry := Entry(*facts)).at >= since)
            before, oldest = rows[-1][0], rows[-1][1]
            if oldest < since:
                return

    def sign_ins(self, *, until: int) -> SignIns:
        """Count the sign-ins of the SIGN_IN_SECONDS before a moment."""
        rows = self._database.run(_SIGN_INS, after=until - SIGN_IN_SECONDS, until=until)
        counted = {event: counts for event, *counts in rows}
        granted, _ = counted.get(Happened.SIGNED_IN, (0, 0))
        return SignIns(granted, *counted.get(Happened.SIGN_IN_REFUSED, (0, 0)))

    def _write(self, entries: list[Entry]) -> None:
        """Write buffered entries in one transaction. Raises Unavailable."""
        with self._database.transaction():
            for entry in entries:
                self.add(entry)
