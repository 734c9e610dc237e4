"""Attempts in Redis: when it is away, slow or hung, SQL takes over by itself in fresh windows, and gives back."""

from pathlib import Path

import pytest
from redis import Redis as Client

from service.login.attempts import Scope, Throttled
from service.services import Unavailable
from service.storage.counting.choose import choose
from service.storage.counting.circuit_breaker import CircuitBreaker
from service.storage.counting.counter_file import CounterFile
from service.storage.counting.redis_attempts import FallbackAttempts, RedisAttempts
from service.storage.counting.redis_connection import redis_storage
from service.storage.counting.sql_attempts import SqlAttempts
from service.storage.engine.database import Database
from tests.rig.redis import Redis
from tests.rig.until import until
from tests.storage.counting.windows import ALICE, LIMITS, attempt_of, kept, let_through, reserve, reserved
from tests.storage.stores import NOW

LIMIT = LIMITS[Scope.ACCOUNT_FROM_NETWORK].count
AWAY = ["stop", "pause"]


@pytest.fixture
def in_redis(redis: Redis) -> RedisAttempts:
    """Attempts in Redis alone."""
    return RedisAttempts(redis_storage(redis.address))


@pytest.fixture
def breaker(in_redis: RedisAttempts) -> CircuitBreaker:
    """A circuit breaker that looks often."""
    return CircuitBreaker(in_redis.answers, in_redis.failures, every_seconds=0.02)


@pytest.fixture
def attempts(in_redis: RedisAttempts, breaker: CircuitBreaker, counter_file: CounterFile) -> FallbackAttempts:
    """Attempts in Redis, with a file behind it."""
    return FallbackAttempts(in_redis, SqlAttempts(counter_file), breaker)


def come_back(redis: Redis, breaker: CircuitBreaker, how: str) -> None:
    """Have Redis answer again, and be trusted."""
    {"stop": redis.start, "pause": redis.resume}[how]()
    until(lambda: not breaker.is_open, "Redis is trusted again")


def test_while_redis_answers_nothing_else_is_written_to(attempts: FallbackAttempts, memory_path: Path) -> None:
    """Neither for an attempt, nor for a refusal, nor for one that is given back."""
    first, *_ = reserve(attempts, attempt_of(), 0, 0, 0, 0)
    attempts.release(reserved(first))

    assert list(memory_path.iterdir()) == []


def test_a_refusal_only_reads(attempts: FallbackAttempts, redis: Redis) -> None:
    """Redis changes nothing, and has nothing to replicate, for a refused attempt: also when windows have slid."""
    reserve(attempts, attempt_of(), 0, 20, 40)
    reserve(attempts, attempt_of(device="d"), 0, 0)
    with Client.from_url(redis.address) as client:
        before = client.info("persistence")["rdb_changes_since_last_save"]

        refused = [*reserve(attempts, attempt_of(), *range(50, 60)), *reserve(attempts, attempt_of(device="d"), 59)]
        after = client.info("persistence")["rdb_changes_since_last_save"]

    assert (let_through(refused), after) == (0, before)


@pytest.mark.parametrize("how", AWAY)
def test_sql_takes_over_and_gives_back(
    attempts: FallbackAttempts, redis: Redis, breaker: CircuitBreaker, how: str
) -> None:
    """Gone or hung: at most twice the limit in all; back again, what Redis remembers counts, and it shows."""
    in_redis = let_through(reserve(attempts, attempt_of(), 0, 0, 0, 0))

    getattr(redis, how)()
    in_sql = let_through(reserve(attempts, attempt_of(), *[0] * 8))
    degraded = breaker.is_open
    come_back(redis, breaker, how)
    afterwards = let_through(reserve(attempts, attempt_of(), *[0] * 8))

    assert (in_redis, in_sql, degraded) == (LIMIT, LIMIT, True)
    assert afterwards == {"stop": LIMIT, "pause": 0}[how]  # a stopped one kept nothing on disk and began anew


@pytest.mark.parametrize("how", AWAY)
def test_a_right_password_is_no_error_when_redis_goes_away_meanwhile(
    attempts: FallbackAttempts, redis: Redis, breaker: CircuitBreaker, how: str
) -> None:
    """What was reserved in Redis and is given back while it is away does no harm: at most one attempt more counts."""
    first, second, _ = map(reserved, reserve(attempts, attempt_of(), 0, 0, 0))

    getattr(redis, how)()
    attempts.release(first)
    attempts.release(second)
    in_sql = let_through(reserve(attempts, attempt_of(), *[0] * 4))
    come_back(redis, breaker, how)

    assert in_sql == LIMIT
    if how == "pause":
        assert kept(RedisAttempts(redis_storage(redis.address))) in [{ALICE: LIMIT}, {ALICE: LIMIT - 1}]


def test_a_scrape_never_gives_redis_up(attempts: FallbackAttempts, redis: Redis, breaker: CircuitBreaker) -> None:
    """The networks that are throttled are unknown until an attempt has noticed; then they are those of SQL."""
    limit = LIMITS[Scope.NETWORK]
    redis.stop()
    with pytest.raises(Unavailable):
        attempts.throttled_networks(limit, now=NOW)
    unnoticed = not breaker.is_open
    for number in range(2):
        reserve(attempts, attempt_of(f"{number:032x}"), 0, 0, 0)

    assert (unnoticed, attempts.throttled_networks(limit, now=NOW)) == (True, 1)


def test_what_was_reserved_in_sql_is_given_back_there(
    attempts: FallbackAttempts, redis: Redis, breaker: CircuitBreaker, counter_file: CounterFile
) -> None:
    """However long Redis has been back, the attempt is crossed out where it was written down."""
    redis.stop()
    mine = reserved(*reserve(attempts, attempt_of(), 0))
    come_back(redis, breaker, "stop")

    attempts.release(mine)

    assert kept(SqlAttempts(counter_file)) == {}


def test_a_redis_that_is_full_counts_as_away(attempts: FallbackAttempts, redis: Redis, breaker: CircuitBreaker) -> None:
    """It answers a ping and writes nothing: SQL counts until it writes, and no window in Redis is half written."""
    reserve(attempts, attempt_of(), 0)
    redis.command("CONFIG", "SET", "maxmemory", "1")
    in_sql = let_through(reserve(attempts, attempt_of(), *[0] * 8))
    degraded = breaker.is_open
    redis.command("CONFIG", "SET", "maxmemory", "0")
    until(lambda: not breaker.is_open, "Redis is trusted again")

    in_redis = RedisAttempts(redis_storage(redis.address))
    assert (in_sql, degraded) == (LIMIT, True)
    assert sum(kept(in_redis).values()) == sum(kept(in_redis, Scope.NETWORK).values()) == 1


def test_a_redis_that_was_flushed_counts_anew(
    attempts: FallbackAttempts, redis: Redis, breaker: CircuitBreaker
) -> None:
    """Windows and scripts are gone: fresh windows at once, and nothing is given up."""
    first, *_ = map(reserved, reserve(attempts, attempt_of(), 0, 0, 0))
    redis.command("FLUSHALL")
    redis.command("SCRIPT", "FLUSH")

    attempts.release(first)

    assert let_through(reserve(attempts, attempt_of(), *[0] * 8)) == LIMIT
    assert not breaker.is_open


def test_a_restart_that_nobody_noticed_costs_nothing(
    attempts: FallbackAttempts, redis: Redis, breaker: CircuitBreaker
) -> None:
    """Connections that a restart closed are opened again without giving Redis up."""
    reserve(attempts, attempt_of(), 0)
    redis.stop()
    redis.start()

    assert let_through(reserve(attempts, attempt_of(), *[0] * 8)) == LIMIT
    assert not breaker.is_open


@pytest.mark.parametrize("how", AWAY)
def test_an_operator_is_not_kept_waiting_for_redis(attempts: FallbackAttempts, redis: Redis, how: str) -> None:
    """While it is away, what SQL counts is listed and cleared; that Redis still counts is said, not passed over."""
    getattr(redis, how)()
    reserve(attempts, attempt_of(), 0, 0)

    assert kept(attempts, Scope.NETWORK) == {attempt_of().network: 2}
    with pytest.raises(Unavailable, match="still counts"):
        attempts.clear(account=ALICE)
    assert kept(attempts) == {}


def test_clearing_reaches_what_sql_counted_before(
    attempts: FallbackAttempts, redis: Redis, breaker: CircuitBreaker, counter_file: CounterFile
) -> None:
    """Else it would count again the next time that Redis is away."""
    redis.stop()
    reserve(attempts, attempt_of(), 0, 0)
    come_back(redis, breaker, "stop")
    reserve(attempts, attempt_of(), 0)

    assert attempts.clear(network=attempt_of().network) == 3
    assert kept(SqlAttempts(counter_file)) == {}


def test_what_sql_counted_before_is_listed_with_what_redis_counts(
    attempts: FallbackAttempts, redis: Redis, breaker: CircuitBreaker
) -> None:
    """Clearing a network of networks goes by the list: one that SQL alone knows would be passed over."""
    redis.stop()
    reserve(attempts, attempt_of(), 0, 0)
    come_back(redis, breaker, "stop")
    alone = kept(attempts, Scope.NETWORK)
    reserve(attempts, attempt_of(), 0)

    assert alone == {attempt_of().network: 2}
    assert kept(attempts, Scope.NETWORK) == {attempt_of().network: 3}


def test_an_address_where_nobody_listens_is_no_error(memory_path: Path) -> None:
    """The service starts before Redis does."""
    chosen = choose(Database(f"sqlite:///{memory_path / 'vestibule.sqlite3'}"), redis="redis://127.0.0.1:1/0")

    breaker = chosen.options["breaker"]
    before = breaker.is_open
    verdicts = reserve(chosen.attempts, attempt_of(), 0, 0, 0, 3)

    assert (before, let_through(verdicts), breaker.is_open) == (False, LIMIT, True)
    assert verdicts[-1] == Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW + 60)


def test_without_redis_and_sql_no_attempt_is_allowed(
    redis: Redis, in_redis: RedisAttempts, breaker: CircuitBreaker, memory_path: Path
) -> None:
    """When nothing can count, every question is Unavailable: no password is checked that is not written down."""
    (memory_path / "file").touch()
    attempts = FallbackAttempts(in_redis, SqlAttempts(CounterFile(memory_path / "file" / "counters.sqlite3")), breaker)
    redis.stop()

    for question in (
        lambda: attempts.reserve(attempt_of(), LIMITS, now=NOW),
        lambda: attempts.tallies(by=Scope.ACCOUNT, since=NOW),
        attempts.clear,
    ):
        with pytest.raises(Unavailable):
            question()
