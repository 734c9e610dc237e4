"""Where to count: in Redis with SQL behind it, or in SQL alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from service import state_dir
from service.login.attempts import Attempts
from service.storage.counting.sql_attempts import SqlAttempts
from service.storage.counting.sql_counters import SqlCounters
from service.storage.engine.database import Database, Rows


@dataclass(frozen=True, slots=True)
class Chosen:
    """Where attempts are counted, and what `limits.storage.storage_from_string` needs to count there, too.

    `on_change` takes what is to be called when this process gives Redis up, and when Redis is back.
    """

    attempts: Attempts
    uri: str
    options: dict[str, Any]
    on_change: Callable[[Callable[[bool], None]], None] = lambda _changed: None


def choose(database: Database, *, redis: str | None) -> Chosen:
    """Return where to count: in Redis when there is an address, with SQL behind it; else in SQL. Opens nothing."""
    rows: Rows = database
    if database.path is not None:
        from service.storage.counting.counter_file import CounterFile

        rows = CounterFile(state_dir.counter_file_of(database.path))
    in_sql = SqlAttempts(rows)
    if redis is None:
        return Chosen(in_sql, SqlCounters.STORAGE_SCHEME[0] + "://", {"rows": rows})
    from service.storage.counting.circuit_breaker import CircuitBreaker
    from service.storage.counting.redis_attempts import FallbackAttempts, RedisAttempts
    from service.storage.counting.redis_connection import redis_storage
    from service.storage.counting.redis_counters import FallbackCounters

    storage = redis_storage(redis)
    in_redis = RedisAttempts(storage)
    breaker = CircuitBreaker(in_redis.answers, in_redis.failures)
    attempts = FallbackAttempts(in_redis, in_sql, breaker)
    options = {"rows": rows, "redis": storage, "breaker": breaker}
    return Chosen(attempts, FallbackCounters.STORAGE_SCHEME[0] + "://", options, breaker.on_change)
