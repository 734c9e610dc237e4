"""Counters in Redis, with SQL behind them: when Redis is away, slow or hung, counting goes on in SQL by itself.

The windows in SQL are fresh then, so at most twice the limit passes in all.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from limits.storage import RedisStorage, Storage

from service.storage.counting.circuit_breaker import CircuitBreaker
from service.storage.counting.sql_counters import SqlCounters
from service.storage.engine.database import Rows

_T = TypeVar("_T")


class FallbackCounters(Storage):
    """Redis while it answers, else SQL. Raises Unavailable only when both are away."""

    STORAGE_SCHEME = ["vestibule-redis"]  # noqa: RUF012 - how the base class is told

    def __init__(
        self,
        uri: str | None = None,
        *,
        rows: Rows,
        redis: RedisStorage,
        breaker: CircuitBreaker,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(uri)
        self._sql = SqlCounters(rows=rows, clock=clock)
        self._redis = redis
        self._breaker = breaker

    @property
    def base_exceptions(self) -> type[Exception]:
        return self._sql.base_exceptions

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return self._either(lambda store: store.incr(key, expiry, amount))

    def get(self, key: str) -> int:
        return self._either(lambda store: store.get(key))

    def get_expiry(self, key: str) -> float:
        return self._either(lambda store: store.get_expiry(key))

    def check(self) -> bool:
        return self._redis.check() or self._sql.check()

    def reset(self) -> int | None:
        return self._either(lambda store: store.reset())

    def clear(self, key: str) -> None:
        self._sql.clear(key)
        self._either(lambda store: store.clear(key))

    def _either(self, ask: Callable[[Storage], _T]) -> _T:
        return self._breaker.either(lambda: ask(self._redis), lambda: ask(self._sql))
