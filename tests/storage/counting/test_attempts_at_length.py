"""Attempts at length: the same verdicts everywhere, exact for many at once, after a restart, and bounded."""

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa
from redis import Redis as Client

from service.login.attempts import Attempt, Attempts, Limit, Reserved, Scope, Throttled, attempt_of_program
from service.storage.counting import redis_connection
from service.storage.counting.choose import choose
from service.storage.counting.counter_file import CounterFile
from service.storage.counting.redis_attempts import RedisAttempts
from service.storage.counting.sql_attempts import SWEPT_EVERY, SqlAttempts
from service.storage.engine.database import Database, Rows
from service.storage.engine.statement import Statement
from service.storage.engine.sweeps import SWEPT_AT_ONCE
from tests.rig.memory_attempts import MemoryAttempts
from tests.rig.memory_store import Rows as MemoryRows
from tests.rig.until import until
from tests.storage.children import together
from tests.storage.counting.windows import ALICE, HERE, LIMITS, attempt_of, elsewhere, kept, let_through, reserve
from tests.storage.stores import NOW, address_of

AT_ONCE = 50
SHARED = ["sqlite", "sqlite-journal", "postgresql", "pgbouncer", "redis", "redis-before-sql"]  # all but memory
WORKERS = 4
COUNT = Statement(sa.text("SELECT count(*) FROM attempts"))
WAITS_FOR_LONG = "SELECT count(*) FROM pg_locks WHERE clock_timestamp() - waitstart > interval '1s'"


def story(chance: random.Random) -> list[tuple[Attempt, int, bool]]:
    """Return who tries what when, and whether the password is right: few people, so that they meet all limits."""
    now, acts = 0, []
    for number in range(300):
        now += chance.choice([0, 0, 1, 2, 7, 30])
        device = chance.choice([None, None, None, "d1", "d2"])
        who = attempt_of(chance.choice("abc") * 32, elsewhere(chance.randrange(4)), device)
        acts.append((who, now, chance.random() < 0.2))
        acts.append((attempt_of_program(elsewhere(number % 2)), now, False))
    return acts


def verdicts(attempts: Attempts, acts: list[tuple[Attempt, int, bool]]) -> list[object]:
    """Return the answers to all attempts, without what differs by nature."""
    said: list[object] = []
    for who, moment, is_right in acts:
        verdict = attempts.reserve(who, LIMITS, now=NOW + moment)
        said.append(verdict if isinstance(verdict, Throttled) else sorted(verdict.exhausted))
        if is_right and isinstance(verdict, Reserved):
            attempts.release(verdict)
    return said


def test_every_store_gives_the_verdicts_of_the_model(attempts: Attempts) -> None:
    """Three hundred tries and releases over ten windows' time, at three accounts from four networks: each alike.

    App passwords are among them, and count apart.
    """
    acts = story(random.Random(20_27))  # noqa: S311 - the same story for every store

    said = verdicts(attempts, acts)

    assert said == verdicts(MemoryAttempts(MemoryRows()), acts)
    assert {verdict.scope for verdict in said if isinstance(verdict, Throttled)} == set(Scope)


@pytest.mark.parametrize("attempts", SHARED, indirect=True)
@pytest.mark.parametrize("who", [attempt_of(), attempt_of(device="d"), attempt_of_program(HERE)])
def test_of_fifty_at_once_exactly_the_limit_goes_on(attempts: Attempts, who: Attempt) -> None:
    """Guesses made in the same moment do not slip through together."""
    start = Barrier(AT_ONCE)

    def guess(_number: int) -> int:
        start.wait()
        return let_through(reserve(attempts, who, 0))

    with ThreadPoolExecutor(AT_ONCE) as threads:
        went_on = sum(threads.map(guess, range(AT_ONCE)))

    assert went_on == LIMITS[who.scopes[0]].count
    assert kept(attempts, Scope.NETWORK) == {HERE: went_on}
    assert kept(attempts) == ({} if who.is_of_program else {ALICE: went_on})


@pytest.mark.parametrize("attempts", SHARED, indirect=True)
@pytest.mark.parametrize("by", [Scope.NETWORK, Scope.ACCOUNT])
def test_many_at_once_share_the_wider_limits_exactly(attempts: Attempts, by: Scope) -> None:
    """Also those who meet in one window only: many accounts of one network, many networks at one account."""

    def guess(number: int) -> int:
        who = attempt_of(f"{number:032x}") if by is Scope.NETWORK else attempt_of(network=elsewhere(number))
        return let_through(reserve(attempts, who, 0))

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(guess, range(AT_ONCE))) == LIMITS[by].count


@pytest.mark.parametrize("store", ["sqlite", "postgresql", "pooled", "redis"])
def test_four_workers_count_together_and_a_restart_forgets_nothing(
    store: str, request: pytest.FixtureRequest, sqlite_file: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 200 tries of 16 threads in four processes exactly the limit goes on; when all have ended, none does."""
    monkeypatch.setattr(redis_connection, "TIMEOUT_SECONDS", 10.0)
    database: Database = request.getfixturevalue(store) if store in {"postgresql", "pooled"} else sqlite_file
    redis: str | None = request.getfixturevalue("redis_with_long_timeout") if store == "redis" else None
    limits = (
        LIMITS
        | {Scope.ACCOUNT_FROM_NETWORK: Limit(30, 900)}
        | dict.fromkeys([Scope.NETWORK, Scope.ACCOUNT], Limit(1000, 900))
    )

    went_on = together(*[("reserve", address_of(database), redis, attempt_of(), limits, 50)] * WORKERS)
    afterwards = choose(database, redis=redis).attempts.reserve(attempt_of(), limits, now=NOW + 3)

    assert sum(went_on) == 30
    assert afterwards == Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW + 900)


@pytest.fixture(params=["counter_file", "postgresql", "pooled"])
def rows(request: pytest.FixtureRequest) -> Rows:
    """Each place in SQL that attempts may be in."""
    rows: Rows = request.getfixturevalue(request.param)
    return rows


def flood(attempts: Attempts, tries: int, now: int) -> None:
    """Try many names, each from a network of its own."""
    for number in range(tries):
        attempts.reserve(attempt_of(f"{number:032x}", elsewhere(number)), LIMITS, now=now)


def test_rows_are_bounded_by_what_is_counted_now(rows: Rows) -> None:
    """A botnet that tries names without end leaves nothing behind: what no window needs goes as new ones come."""
    attempts = SqlAttempts(rows)
    longest = max(window.seconds for window in LIMITS.values())
    flood(attempts, 3 * SWEPT_EVERY, NOW)
    flood(attempts, 2 * SWEPT_EVERY, NOW + longest - 1)
    before = rows.run(COUNT)

    flood(attempts, SWEPT_EVERY, NOW + longest)

    assert (before, rows.run(COUNT)) == ([(5 * SWEPT_EVERY,)], [(3 * SWEPT_EVERY,)])
    assert SWEPT_AT_ONCE > SWEPT_EVERY


def test_wrong_app_passwords_are_bounded_and_forget_no_attempt(rows: Rows) -> None:
    """A botnet with app passwords leaves nothing behind either; attempts at accounts stay, whose windows are longer."""
    attempts, limits = SqlAttempts(rows), {Scope.APP_PASSWORD_NETWORK: LIMITS[Scope.APP_PASSWORD_NETWORK]}
    reserve(attempts, attempt_of(), 0)
    for moment in (0, LIMITS[Scope.APP_PASSWORD_NETWORK].seconds):
        for number in range(SWEPT_EVERY):
            attempts.reserve(attempt_of_program(elsewhere(number)), limits, now=NOW + moment)

    assert rows.run(COUNT) == [(1 + SWEPT_EVERY,)]
    assert kept(attempts) == {ALICE: 1}


def test_redis_forgets_by_itself(redis_with_long_timeout: str) -> None:
    """Every window's key ends no later than its window; a window that is in use holds what it counts and no more."""
    attempts = RedisAttempts(redis_connection.redis_storage(redis_with_long_timeout))
    reserve(attempts, attempt_of(device="d"), 0)
    reserve(attempts, attempt_of_program(HERE), 0)
    reserve(attempts, attempt_of(), *range(0, 3000, 25))

    with Client.from_url(redis_with_long_timeout) as client:
        keys = {key.decode().split(":")[2]: key for key in client.scan_iter("*")}
        held = {kind: client.zcard(key) for kind, key in keys.items()}
        lives = {kind: client.ttl(key) for kind, key in keys.items()}

    assert held == {"both": 3, "network": 4, "account": 5, "device": 1, "program": 1}
    assert all(
        0 < lives[kind] <= LIMITS[scope].seconds
        for scope, kind in {
            Scope.ACCOUNT_FROM_NETWORK: "both",
            Scope.NETWORK: "network",
            Scope.ACCOUNT: "account",
            Scope.KNOWN_DEVICE: "device",
            Scope.APP_PASSWORD_NETWORK: "program",
        }.items()
    )


def test_a_damaged_file_is_made_anew(counter_file: CounterFile) -> None:
    """A file that is of no use any more is replaced under the service, and counted in at once, in fresh windows."""
    attempts = SqlAttempts(counter_file)
    reserve(attempts, attempt_of(), 0, 0)
    counter_file.run(Statement(sa.text("DROP TABLE attempts")))

    assert let_through(reserve(attempts, attempt_of(), 0, 0, 0, 0)) == 3


def test_tallies_take_longer_than_a_request_may(postgresql: Database) -> None:
    """An hour of an attack is added up in seconds: a limit on the time of statements of requests is none on that."""
    with ThreadPoolExecutor() as beside, postgresql.wholesale() as connection:
        connection.exec_driver_sql("LOCK TABLE attempts")
        asked = beside.submit(lambda: list(SqlAttempts(postgresql).tallies(by=Scope.NETWORK, since=0)))
        until(lambda: bool(connection.exec_driver_sql(WAITS_FOR_LONG).scalar()), "it waits longer than a request may")
        connection.commit()

    assert asked.result() == []
