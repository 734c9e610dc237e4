"""Counters in Redis: when it is away, slow or hung, SQL takes over by itself, and gives back."""

from pathlib import Path

import pytest
from limits.storage import storage_from_string

from service.services import Unavailable
from service.storage.counting.choose import choose
from service.storage.counting.circuit_breaker import CircuitBreaker
from service.storage.counting.counter_file import CounterFile
from service.storage.counting.redis_attempts import RedisAttempts
from service.storage.counting.redis_connection import redis_storage
from service.storage.counting.redis_counters import FallbackCounters
from service.storage.engine.database import Database
from tests.rig.redis import Redis
from tests.rig.until import until


@pytest.fixture
def breaker(redis: Redis) -> CircuitBreaker:
    """A circuit breaker that looks often."""
    in_redis = RedisAttempts(redis_storage(redis.address))
    return CircuitBreaker(in_redis.answers, in_redis.failures, every_seconds=0.02)


@pytest.fixture
def storage(redis: Redis, breaker: CircuitBreaker, tmp_path: Path) -> FallbackCounters:
    """Counters in Redis, with a file behind them."""
    return FallbackCounters(
        rows=CounterFile(tmp_path / "counters.sqlite3"), redis=redis_storage(redis.address), breaker=breaker
    )


def test_redis_counts(storage: FallbackCounters, breaker: CircuitBreaker, tmp_path: Path) -> None:
    """While it answers, nothing else is written to."""
    counted = [storage.incr("a", 60), storage.incr("a", 60, 2), storage.get("a")]

    assert counted == [1, 3, 3]
    assert not breaker.is_open
    assert list(tmp_path.iterdir()) == []


def test_workers_count_together(
    storage: FallbackCounters, redis: Redis, breaker: CircuitBreaker, tmp_path: Path
) -> None:
    """What one process counted in Redis, another one finds there."""
    storage.incr("a", 60)
    other = FallbackCounters(
        rows=CounterFile(tmp_path / "other.sqlite3"), redis=redis_storage(redis.address), breaker=breaker
    )

    assert other.incr("a", 60) == 2


@pytest.mark.parametrize("how", ["stop", "pause"])
def test_sql_takes_over_and_gives_back(
    storage: FallbackCounters, redis: Redis, breaker: CircuitBreaker, how: str
) -> None:
    """Redis gone or hung: counting goes on in fresh windows, it shows, and ends when Redis is back."""
    storage.incr("a", 60)

    getattr(redis, how)()
    while_away = [storage.incr("a", 60), storage.incr("a", 60), storage.get("a")]
    degraded = breaker.is_open
    {"stop": redis.start, "pause": redis.resume}[how]()
    until(lambda: not breaker.is_open, "Redis is trusted again")

    assert while_away == [1, 2, 2]
    assert degraded
    # A hung one still reads, later, the hits that no caller waited for: counted twice, never forgotten.
    assert storage.incr("a", 60) in {"stop": {1}, "pause": {2, 3}}[how]


def test_each_change_is_told_once(storage: FallbackCounters, redis: Redis, breaker: CircuitBreaker) -> None:
    """The listener is told of the loss when it is noticed and of the return, however many requests there were."""
    told: list[bool] = []
    breaker.on_change(told.append)
    storage.incr("a", 60)

    redis.stop()
    for _ in range(3):
        storage.incr("a", 60)
    redis.start()
    until(lambda: not breaker.is_open, "Redis is trusted again")
    storage.incr("a", 60)

    assert told == [True, False]


def test_a_restart_that_nobody_noticed_costs_nothing(
    storage: FallbackCounters, redis: Redis, breaker: CircuitBreaker
) -> None:
    """Connections that a restart closed are opened again without giving Redis up."""
    storage.incr("a", 60)
    redis.stop()
    redis.start()

    assert storage.incr("a", 60) == 1
    assert not breaker.is_open


def test_a_redis_that_refuses_to_write_counts_as_away(
    storage: FallbackCounters, redis: Redis, breaker: CircuitBreaker
) -> None:
    """One that is full answers a ping and counts nothing: it is not trusted until it counts."""
    redis.command("CONFIG", "SET", "maxmemory", "1")
    counted = [storage.incr("a", 60), storage.incr("a", 60)]
    redis.command("CONFIG", "SET", "maxmemory", "0")

    assert counted == [1, 2]
    until(lambda: not breaker.is_open, "Redis is trusted again")


def test_an_address_where_nobody_listens_is_no_error(tmp_path: Path) -> None:
    """The service starts before Redis does."""
    chosen = choose(Database(f"sqlite:///{tmp_path / 'vestibule.sqlite3'}"), redis="redis://127.0.0.1:1/0")
    storage = storage_from_string(chosen.uri, **chosen.options)

    breaker = chosen.options["breaker"]

    assert not breaker.is_open
    assert storage.incr("a", 60) == 1
    assert breaker.is_open


def test_without_redis_and_sql_no_form_is_let_through(redis: Redis, breaker: CircuitBreaker, tmp_path: Path) -> None:
    """When nothing can count, the answer is Unavailable."""
    (tmp_path / "file").touch()
    storage = FallbackCounters(
        rows=CounterFile(tmp_path / "file" / "counters.sqlite3"), redis=redis_storage(redis.address), breaker=breaker
    )
    redis.stop()

    with pytest.raises(Unavailable):
        storage.incr("a", 60)
