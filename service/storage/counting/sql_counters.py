"""Counters of the outer limits: fixed windows that all processes share, in SQL or in Redis.

`limits` (and with it Flask-Limiter) finds the storages here by their scheme. Counting is one atomic
statement, so hits are exact however many processes and threads count. On SQLite the counters have a file
of their own, which outlives a process but need not outlive a power cut.
"""

import time
from collections.abc import Callable
from typing import Final

import sqlalchemy as sa
from limits.storage import Storage

from service.services import Unavailable
from service.storage.engine.database import Rows
from service.storage.engine.statement import Plain, Statement, given, metadata
from service.storage.engine.sweeps import Sweep

SWEPT_EVERY: Final = 50

counters: Final = sa.Table(
    "counters",
    metadata,
    sa.Column("key", Plain, primary_key=True),
    sa.Column("hits", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False, index=True),
    sqlite_with_rowid=False,
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
        given(counters.c.key), counters.c.expires_at > sa.bindparam("now")
    )
)
_CLEAR: Final = Statement(sa.delete(counters).where(given(counters.c.key)))
_RESET: Final = Statement(sa.delete(counters).returning(counters.c.key))


class SqlCounters(Storage):
    """Counters in SQL. Raises Unavailable when they do not answer: a request that cannot be counted is refused."""

    STORAGE_SCHEME = ["vestibule-sql"]  # noqa: RUF012 - how the base class is told

    def __init__(self, uri: str | None = None, *, rows: Rows, clock: Callable[[], float] = time.time) -> None:
        super().__init__(uri)
        self._rows = rows
        self._clock = clock
        self._sweep = Sweep(rows, counters.c.key, counters.c.expires_at, every=SWEPT_EVERY)

    @property
    def base_exceptions(self) -> type[Exception]:
        return Unavailable

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = self._clock()
        ((hits,),) = self._rows.run(
            _INCREMENT, key=key, amount=amount, now=now, ends=now + expiry, latest=now + 2 * expiry
        )
        self._sweep.count(before=now)
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
