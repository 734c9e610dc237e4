"""Counters of the outer limits: fixed windows that all processes share, in SQL or in Redis.

`limits` (and with it Flask-Limiter) finds the storages here by their scheme. Counting is one atomic
statement, so hits are exact however many processes and threads count. On SQLite the counters have a file
of their own, which outlives a process but need not outlive a power cut.
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from limits.storage import Storage

from service.login.attempts import Attempts
from service.services import Unavailable
from service.storage.counting.sql_attempts import SqlAttempts
from service.storage.engine.database import Database, Plain, Rows, Statement, metadata

SWEPT_EVERY: Final = 50
SWEPT_AT_ONCE: Final = 200
_USUAL_NAME: Final = "vestibule.sqlite3"

counters: Final = sa.Table(
    "counters",
    metadata,
    sa.Column("key", Plain, primary_key=True),
    sa.Column("hits", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False, index=True),
    prefixes=["UNLOGGED"],
)

# A window is over when its time has come; or when it ends further away than it can be long, because the
# clock was set back: else a block could last as long as the clock was wrong.
_INCREMENT: Final = Statement(
    sa.text("""
INSERT INTO counters (key, hits, expires_at) VALUES (:key, :amount, :ends)
ON CONFLICT (key) DO UPDATE SET
  hits = CASE WHEN counters.expires_at > :now AND counters.expires_at <= :latest
         THEN counters.hits + excluded.hits ELSE excluded.hits END,
  expires_at = CASE WHEN counters.expires_at > :now AND counters.expires_at <= :latest
               THEN counters.expires_at ELSE excluded.expires_at END
RETURNING hits""")
)
_LOOK: Final = Statement(
    sa.select(counters.c.hits, counters.c.expires_at).where(
        counters.c.key == sa.bindparam("key"), counters.c.expires_at > sa.bindparam("now")
    )
)
_SWEEP: Final = Statement(
    sa.delete(counters).where(
        counters.c.key.in_(
            sa.select(counters.c.key)
            .where(counters.c.expires_at <= sa.bindparam("now"))
            .limit(sa.bindparam("most"))
            .with_for_update(skip_locked=True)
        )
    )
)
_CLEAR: Final = Statement(sa.delete(counters).where(counters.c.key == sa.bindparam("key")))
_RESET: Final = Statement(sa.delete(counters).returning(counters.c.key))


class SqlCounters(Storage):
    """Counters in SQL. Raises Unavailable when they do not answer: what cannot be counted is not let through."""

    STORAGE_SCHEME = ["vestibule-sql"]  # noqa: RUF012 - how the base class is told

    def __init__(self, uri: str | None = None, *, rows: Rows, clock: Callable[[], float] = time.time) -> None:
        super().__init__(uri)
        self._rows = rows
        self._clock = clock
        self._calls = itertools.count(1)

    @property
    def base_exceptions(self) -> type[Exception]:
        return Unavailable

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = self._clock()
        ((hits,),) = self._rows.run(
            _INCREMENT, key=key, amount=amount, now=now, ends=now + expiry, latest=now + 2 * expiry
        )
        if next(self._calls) % SWEPT_EVERY == 0:
            self._rows.run(_SWEEP, now=now, most=SWEPT_AT_ONCE)
        return int(hits)

    def get(self, key: str) -> int:
        rows = self._rows.run(_LOOK, key=key, now=self._clock())
        return int(rows[0][0]) if rows else 0

    def get_expiry(self, key: str) -> float:
        now = self._clock()
        rows = self._rows.run(_LOOK, key=key, now=now)
        return float(rows[0][1]) if rows else now

    def check(self) -> bool:
        try:
            self.get("")
        except Unavailable:
            return False
        return True

    def reset(self) -> int | None:
        return len(self._rows.run(_RESET))

    def clear(self, key: str) -> None:
        self._rows.run(_CLEAR, key=key)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Where attempts are counted, what `limits.storage.storage_from_string` needs to count there, too, and the watch.

    The watch knows whether Redis was given up for now in this process.
    """

    attempts: Attempts
    uri: str
    options: dict[str, Any]
    watch: Any = field(default=None)

    def tell(self, told: Callable[[bool], None]) -> None:
        """Call `told` whenever that changes in this process; never without Redis."""
        if self.watch is not None:
            self.watch.tell(told)


def beside(database: Path) -> Path:
    """Return the counters' file of an SQLite database: in its directory, so that who shares the one shares the other.

    Links are followed, as SQLite does for its logs: whichever way somebody came to the file, they count together.
    """
    file = database.resolve()
    return file.with_name("counters.sqlite3" if file.name == _USUAL_NAME else f"{file.name}.counters.sqlite3")


def choose(database: Database, *, redis: str | None) -> Chosen:
    """Return where to count: in Redis when there is an address, with SQL behind it; else in SQL. Opens nothing."""
    rows: Rows = database
    if database.path is not None:
        from service.storage.counting.counter_file import CounterFile

        rows = CounterFile(beside(database.path))
    in_sql = SqlAttempts(rows)
    if redis is None:
        return Chosen(in_sql, SqlCounters.STORAGE_SCHEME[0] + "://", {"rows": rows})
    from service.storage.counting.redis_attempts import FallbackAttempts
    from service.storage.counting.redis_counters import FallbackCounters, Watch

    watch = Watch()
    attempts = FallbackAttempts(redis, in_sql, watch)
    options = {"rows": rows, "redis": redis, "watch": watch}
    return Chosen(attempts, FallbackCounters.STORAGE_SCHEME[0] + "://", options, watch)
