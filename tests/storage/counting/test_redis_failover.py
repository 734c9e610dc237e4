"""A Redis that moves: its name leads to a server that is a replica now, and to the one that takes its place."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from service.storage.counting.circuit_breaker import CircuitBreaker
from service.storage.counting.counter_file import CounterFile
from service.storage.counting.redis_attempts import RedisAttempts
from service.storage.counting.redis_connection import redis_storage
from service.storage.counting.redis_counters import FallbackCounters
from tests.rig import haproxy
from tests.rig.haproxy import Haproxy
from tests.rig.redis import Redis, pair
from tests.rig.until import until


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Redis, Redis, Haproxy]]:
    """A primary, its replica, and the name of the primary."""
    with ExitStack() as stack:
        first, second = stack.enter_context(pair())
        yield first, second, stack.enter_context(haproxy.leading_to(first.port))


def test_the_one_that_took_over_counts(servers: tuple[Redis, Redis, Haproxy], tmp_path: Path) -> None:
    """A primary becomes a replica and keeps its connections, where it refuses to count: they are given up."""
    first, second, name = servers
    storage = redis_storage(name.address(first.address))
    in_redis = RedisAttempts(storage)
    breaker = CircuitBreaker(in_redis.answers, in_redis.failures, every_seconds=0.02)
    counters = FallbackCounters(rows=CounterFile(tmp_path / "counters.sqlite3"), redis=storage, breaker=breaker)
    counted = [counters.incr("a", 60), counters.incr("a", 60)]
    until(lambda: redis_storage(second.address).get("a") == 2, "the replica has what was counted")

    second.promote()
    first.follow(second)
    in_sql, was_open = counters.incr("a", 60), breaker.is_open
    name.move(second.port)
    until(lambda: not breaker.is_open, "Redis is trusted again")

    assert (counted, in_sql, was_open) == ([1, 2], 1, True)
    assert counters.incr("a", 60) == 3
