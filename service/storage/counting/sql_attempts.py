"""Attempts in SQL: one row for each, and the store that keeps to `service.login.attempts.Attempts`.

As many rows as passwords were hashed within the longest window: refusals write nothing, and rows that no window
needs any more go as new ones come. On SQLite they lie in the counters' own file, on PostgreSQL in an unlogged table.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import sqlalchemy as sa

from service.login.attempts import (
    PENDING_SECONDS,
    Attempt,
    Count,
    Limit,
    Reserved,
    Scope,
    Tally,
    Throttled,
    Throttles,
    decide,
)
from service.services import Unavailable
from service.storage.engine.database import Database, Rows
from service.storage.engine.statement import Plain, Statement, given, metadata, values_of
from service.storage.engine.sweeps import Sweep

AT_ONCE: Final = 4
SLOT_SECONDS: Final = 0.8
SWEPT_EVERY: Final = 50

attempts: Final = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", Plain, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
    sa.Column("account", Plain, nullable=False),
    sa.Column("username", Plain),
    sa.Column("network", Plain, nullable=False),
    sa.Column("device", Plain),
    sa.Index("attempts_by_account", "account", "at"),
    sa.Index("attempts_by_network", "network", "at"),
    sqlite_with_rowid=False,
)
_OWN: Final = attempts.c
_SUBJECT: Final = (_OWN.account, _OWN.username, _OWN.network, _OWN.device)
_FROM_ELSEWHERE: Final = _OWN.device.is_(None)
_OF_PROGRAM: Final = _OWN.account == ""
_ACCOUNT: Final = given(_OWN.account)
_NETWORK: Final = given(_OWN.network)
_WHICH: Final = {
    Scope.ACCOUNT_FROM_NETWORK: _ACCOUNT & _NETWORK & _FROM_ELSEWHERE,
    Scope.NETWORK: _NETWORK & _FROM_ELSEWHERE,
    Scope.ACCOUNT: _ACCOUNT & _FROM_ELSEWHERE,
    Scope.KNOWN_DEVICE: _ACCOUNT & given(_OWN.device),
    Scope.APP_PASSWORD_NETWORK: _NETWORK & given(_OWN.device),
}


def _count(scope: Scope) -> sa.Select[Any]:
    """Count one window. What lies ahead by more than a window was written before a clock was set back."""
    window = (_OWN.at > sa.bindparam(f"after_{scope}")) & (_OWN.at < sa.bindparam(f"before_{scope}"))
    many, oldest = sa.func.count(), sa.func.coalesce(sa.func.min(_OWN.at), 0)
    recent = sa.func.count().filter(_OWN.at.between(sa.bindparam("recent"), sa.bindparam("soon")))
    return sa.select(sa.literal_column(f"'{scope.value}'"), many, oldest, recent).where(_WHICH[scope], window)


def _counts(*scopes: Scope) -> Statement:
    return Statement(sa.union_all(*map(_count, scopes)))


_COUNTS: Final[dict[tuple[Scope, ...], Statement]] = {
    scopes: _counts(*scopes)
    for scopes in (
        (Scope.KNOWN_DEVICE,),
        (Scope.APP_PASSWORD_NETWORK,),
        (Scope.ACCOUNT_FROM_NETWORK, Scope.NETWORK, Scope.ACCOUNT),
    )
}
# PostgreSQL: a transaction that counts the same account or network waits until this one has written. In one order.
_LOCK: Final = Statement(
    sa.text(
        "SELECT pg_advisory_xact_lock(hashtextextended(name, 1986358643)) "
        "FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS t (name, place) ORDER BY place"
    )
)
_WRITE: Final = Statement(sa.insert(attempts))
_RELEASE: Final = Statement(sa.delete(attempts).where(given(_OWN.id)))
_CLEAR: Final = sa.delete(attempts).returning(_OWN.id)
_CLEAR_ALL: Final = Statement(_CLEAR)
_CLEAR_ACCOUNT: Final = Statement(_CLEAR.where(_ACCOUNT))
_CLEAR_NETWORK: Final = Statement(_CLEAR.where(_NETWORK))


def _tallies(key: sa.Column[str], name: sa.ColumnElement[Any]) -> Statement:
    many = sa.func.count()
    return Statement(
        sa.select(key, name, many, sa.func.max(_OWN.at))
        .where(_OWN.at > sa.bindparam("since"), key != "")
        .group_by(key)
        .order_by(many.desc(), key)
    )


_TALLIES: Final = {
    Scope.NETWORK: _tallies(_OWN.network, sa.null()),
    Scope.ACCOUNT: _tallies(_OWN.account, sa.func.max(_OWN.username)),
}


_FULL: Final = (
    sa.select(_OWN.network)
    .where(_OWN.at > sa.bindparam("after"), _OWN.at < sa.bindparam("before"), _FROM_ELSEWHERE)
    .group_by(_OWN.network)
    .having(sa.func.count() >= sa.bindparam("limit"))
)
_THROTTLED_NETWORKS: Final = Statement(sa.select(sa.func.count()).select_from(_FULL.subquery()))


class SqlAttempts:
    """Attempts in SQL. Raises Unavailable when it does not answer: an attempt that cannot be counted is refused."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._sweep = Sweep(rows, _OWN.id, _OWN.at, every=SWEPT_EVERY)
        self._sweep_of_programs = Sweep(rows, _OWN.id, _OWN.at, every=SWEPT_EVERY, only=_OF_PROGRAM)
        self._slots = threading.BoundedSemaphore(AT_ONCE)

    def reserve(self, attempt: Attempt, throttles: Throttles, *, now: int) -> Reserved | Throttled:
        """Few at once: on PostgreSQL the queue of an attack on one name would else occupy all connections."""
        if not self._slots.acquire(timeout=SLOT_SECONDS):
            raise Unavailable("the attempts: too many are being counted at once")
        try:
            reserved = self._rows.within(lambda database: _reserve(database, attempt, throttles, now))
        finally:
            self._slots.release()
        # The throttles of a program say nothing about the windows of passwords.
        sweep = self._sweep_of_programs if attempt.is_of_program else self._sweep
        with suppress(Unavailable):  # the attempt is written; expired rows are deleted the next time
            sweep.count(before=now - max(window.seconds for window in throttles.values()))
        return reserved

    def release(self, reserved: Reserved) -> None:
        """An attempt that cannot be deleted counts as a failure; the sign-in goes on."""
        with suppress(Unavailable):
            self._rows.run(_RELEASE, id=reserved.id)

    def throttled_networks(self, limit: Limit, *, now: int) -> int:
        window = {"after": now - limit.seconds, "before": now + limit.seconds}
        ((many,),) = self._rows.run(_THROTTLED_NETWORKS, **window, limit=limit.count)
        return int(many)

    def tallies(self, *, by: Scope, since: int) -> Iterator[Tally]:
        """An hour of an attack takes longer to add up than a request's statement may on PostgreSQL."""
        rows = self._rows
        if not isinstance(rows, Database) or rows.path:
            return (Tally(*row) for row in rows.run(_TALLIES[by], since=since))
        with rows.wholesale() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = '20s'")
            return (Tally(*row) for row in rows.run(_TALLIES[by], since=since))

    def clear(self, *, account: str | None = None, network: str | None = None) -> int:
        if account is not None:
            return len(self._rows.run(_CLEAR_ACCOUNT, account=account))
        if network is not None:
            return len(self._rows.run(_CLEAR_NETWORK, network=network))
        return len(self._rows.run(_CLEAR_ALL))


def _reserve(database: Database, attempt: Attempt, throttles: Throttles, now: int) -> Reserved | Throttled:
    if database.path is None:
        account = [] if attempt.is_of_program else [f"account {attempt.account}"]
        database.run(_LOCK, names=[*account, f"network {attempt.network}"])
    verdict = decide(_counted(database, attempt, throttles, now), throttles, now=now)
    if isinstance(verdict, Throttled):
        return verdict
    reserved = Reserved(secrets.token_hex(16), attempt, verdict)
    database.run(_WRITE, id=reserved.id, at=now, **values_of(_SUBJECT, attempt))
    return reserved


def _counted(database: Database, attempt: Attempt, throttles: Throttles, now: int) -> dict[Scope, Count]:
    values = values_of(_SUBJECT, attempt) | {"recent": now - PENDING_SECONDS, "soon": now + PENDING_SECONDS}
    for scope in attempt.scopes:
        seconds = throttles[scope].seconds
        values |= {f"after_{scope}": now - seconds, f"before_{scope}": now + seconds}
    rows = database.run(_COUNTS[attempt.scopes], **values)
    return {Scope(scope): Count(*counted) for scope, *counted in rows}
