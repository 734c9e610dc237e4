"""Sessions: the table, and the store that keeps to `service.login.sessions.Sessions`.

`find` stands in the way of every request: one statement by the driver, three look-ups by key.
"""

from collections.abc import Iterator
from contextlib import suppress
from heapq import merge
from typing import Final

import sqlalchemy as sa

from service.login.sessions import CLOCK_TOLERANCE_SECONDS, Lifetimes, Session, SignedIn
from service.services import Unavailable
from service.storage.accounts import COLUMNS, account_from, accounts
from service.storage.engine.database import Database
from service.storage.engine.statement import Plain, Row, Statement, given, metadata, values_of

PAGE: Final = 500

sessions: Final = sa.Table(
    "sessions",
    metadata,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True),
    sa.Column("id", Plain, nullable=False, unique=True),
    sa.Column("account_id", Plain, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Column("remembered", sa.Boolean, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("user_agent", sa.Text, nullable=False),
    sa.Index("sessions_by_use", "remembered", "seen_at", "created_at"),
    sa.Index("sessions_by_age", "remembered", "created_at", "id"),
    sqlite_with_rowid=False,
)

_SIGNED_IN: Final = sa.select(*COLUMNS, *sessions.c).join(accounts, accounts.c.id == sessions.c.account_id)
_THIS: Final = given(sessions.c.token_hash)
_THESE: Final = given(sessions.c.account_id)


def _kind(*, remembered: bool) -> sa.ColumnElement[bool]:
    return sessions.c.remembered if remembered else ~sessions.c.remembered


def _live(*, remembered: bool) -> sa.ColumnElement[bool]:
    """The rule `is_live` on rows: its limits are the latest times at which a session is over, or a clock was right."""
    return (
        _kind(remembered=remembered)
        & (sessions.c.seen_at > sa.bindparam(f"idle_{remembered}"))
        & (sessions.c.seen_at <= sa.bindparam("ahead"))
        & (sessions.c.created_at > sa.bindparam(f"old_{remembered}"))
    )


_EXPIRED: Final = sa.or_(
    *(_kind(remembered=kind) & (sessions.c.seen_at > sa.bindparam("ahead")) for kind in (False, True)),
    *(_kind(remembered=kind) & (sessions.c.seen_at <= sa.bindparam(f"idle_{kind}")) for kind in (False, True)),
    *(_kind(remembered=kind) & (sessions.c.created_at <= sa.bindparam(f"old_{kind}")) for kind in (False, True)),
)


def _newest_first(*, remembered: bool) -> Statement:
    before = sa.tuple_(sa.bindparam("created_at", type_=sa.BigInteger), sa.bindparam("id", type_=sa.Text))
    return Statement(
        _SIGNED_IN.where(_kind(remembered=remembered), sa.tuple_(sessions.c.created_at, sessions.c.id) < before)
        .order_by(sessions.c.created_at.desc(), sessions.c.id.desc())
        .limit(PAGE)
    )


def _count(which: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(sessions).where(which).scalar_subquery()


_ADD: Final = Statement(sa.insert(sessions))
_FIND: Final = Statement(_SIGNED_IN.where(_THIS))
_OF_ACCOUNT: Final = Statement(
    sa.select(sessions).where(_THESE).order_by(sessions.c.created_at.desc(), sessions.c.id.desc())
)
_PAGES: Final = tuple(_newest_first(remembered=kind) for kind in (False, True))
_COUNT_LIVE: Final = Statement(sa.select(_count(_live(remembered=False)) + _count(_live(remembered=True))))
_TOUCH: Final = Statement(
    sa.update(sessions).where(_THIS, sessions.c.seen_at < sa.bindparam("now")).values(seen_at=sa.bindparam("now"))
)
_END: Final = Statement(sa.delete(sessions).where(_THIS).returning(sessions.c.id))
_END_BY_ID: Final = Statement(sa.delete(sessions).where(given(sessions.c.id)).returning(sessions.c.id))
_END_OF_ACCOUNT: Final = Statement(sa.delete(sessions).where(_THESE).returning(sessions.c.id))
# Two sign-ins that sweep at once take different rows, and neither waits for the other.
_FIND_EXPIRED: Final = Statement(
    sa.select(sessions.c.token_hash).where(_EXPIRED).limit(sa.bindparam("most")).with_for_update(skip_locked=True)
)


class SqlSessions:
    """Sessions in a database. Every method but `touch` raises Unavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, session: Session) -> None:
        self._database.run(_ADD, **values_of(sessions.c, session))

    def find(self, token_hash: bytes) -> SignedIn | None:
        rows = self._database.run(_FIND, token_hash=token_hash)
        return _signed_in(rows[0]) if rows else None

    def of_account(self, account_id: str) -> list[Session]:
        return [_session(row) for row in self._database.run(_OF_ACCOUNT, account_id=account_id)]

    def all(self) -> Iterator[SignedIn]:
        return merge(*map(self._pages, _PAGES), key=lambda found: found.session.created_at, reverse=True)

    def _pages(self, newest_first: Statement) -> Iterator[SignedIn]:
        """Read page by page, newest first: a slow reader holds no transaction open."""
        created_at, last = 2**62, ""
        while rows := self._database.run(newest_first, created_at=created_at, id=last):
            page = [_signed_in(row) for row in rows]
            yield from page
            created_at, last = page[-1].session.created_at, page[-1].session.id

    def count_live(self, lifetimes: Lifetimes, *, now: int) -> int:
        ((live,),) = self._database.run(_COUNT_LIVE, **_limits(lifetimes, now))
        return int(live)

    def touch(self, token_hash: bytes, *, now: int) -> None:
        with suppress(Unavailable):  # a session can be used while the disk is full
            self._database.run(_TOUCH, token_hash=token_hash, now=now)

    def end(self, token_hash: bytes) -> bool:
        return bool(self._database.run(_END, token_hash=token_hash))

    def end_by_id(self, session_id: str) -> bool:
        return bool(self._database.run(_END_BY_ID, id=session_id))

    def end_of_account(self, account_id: str) -> int:
        return len(self._database.run(_END_OF_ACCOUNT, account_id=account_id))

    def end_all(self) -> int:
        """One statement however many there are: row by row, a million would take minutes."""
        with self._database.wholesale() as connection:
            return connection.execute(sa.delete(sessions)).rowcount

    def delete_expired(self, lifetimes: Lifetimes, *, now: int, limit: int) -> int:
        """Found by a read, so that without any no turn to write is taken; what was used again meanwhile stays."""
        limits = _limits(lifetimes, now)
        found = [token_hash for (token_hash,) in self._database.run(_FIND_EXPIRED, most=limit, **limits)]
        if not found:
            return 0
        with self._database.transaction() as connection:
            dead = sa.delete(sessions).where(sessions.c.token_hash.in_(found), _EXPIRED)
            return connection.execute(dead, limits).rowcount


def _limits(lifetimes: Lifetimes, now: int) -> dict[str, int]:
    """Return the latest times of last use and of creation at which a session of each kind is over."""
    limits = {"ahead": now + CLOCK_TOLERANCE_SECONDS}
    for kind in (False, True):
        idle, absolute = lifetimes.of(remembered=kind)
        limits |= {f"idle_{kind}": now - idle, f"old_{kind}": now - absolute}
    return limits


def _signed_in(row: Row) -> SignedIn:
    return SignedIn(_session(row[len(COLUMNS) :]), account_from(row))


def _session(row: Row) -> Session:
    token_hash, session_id, account_id, created_at, seen_at, remembered, address, user_agent = row
    return Session(session_id, token_hash, account_id, created_at, seen_at, bool(remembered), address, user_agent)
