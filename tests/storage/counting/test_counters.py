"""Counters of the outer limits, as `limits` and Flask-Limiter use them: fixed windows in SQL."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from limits import RateLimitItemPerMinute
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from service.storage.counting.choose import choose
from service.storage.counting.counter_file import CounterFile
from service.storage.counting.sql_counters import SWEPT_EVERY, SqlCounters
from service.storage.engine.database import Database, Rows
from service.storage.engine.statement import Statement
from service.storage.engine.sweeps import SWEPT_AT_ONCE
from tests.rig.clock import Clock


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock(1_800_000_000.25)


@pytest.fixture
def file(memory_path: Path) -> CounterFile:
    """The counters' file, not made yet."""
    return CounterFile(memory_path / "counters.sqlite3")


@pytest.fixture(params=["file", "postgresql", "pooled"])
def rows(request: pytest.FixtureRequest) -> Rows:
    """Each place that counters may be in."""
    rows: Rows = request.getfixturevalue(request.param)
    return rows


@pytest.fixture
def storage(rows: Rows, clock: Clock) -> SqlCounters:
    """A storage over it."""
    return SqlCounters(rows=rows, clock=clock)


def test_hits_add_up_until_the_window_ends(storage: SqlCounters, clock: Clock) -> None:
    """The window begins with the first hit and ends after its length; the next hit begins another."""
    counted = [storage.incr("a", 60), storage.incr("a", 60, amount=3)]
    clock.now += 59.9
    counted += [storage.incr("a", 60)]
    clock.now += 0.1
    counted += [storage.incr("a", 60)]

    assert counted == [1, 4, 5, 1]


def test_keys_are_counted_apart(storage: SqlCounters) -> None:
    """Also those that differ in case, in a blank or in a wildcard."""
    for key in ("a", "A", "a ", "a%", "_"):
        storage.incr(key, 60)

    assert [storage.get(key) for key in ("a", "A", "a ", "a%", "_", "b")] == [1, 1, 1, 1, 1, 0]


def test_a_window_tells_its_end(storage: SqlCounters, clock: Clock) -> None:
    """For Retry-After; an unknown key's window ends now."""
    storage.incr("a", 60)
    began = clock.now
    clock.now += 20

    assert storage.get_expiry("a") == pytest.approx(began + 60)
    assert storage.get_expiry("b") == pytest.approx(clock.now)


def test_a_window_that_is_over_counts_nothing(storage: SqlCounters, clock: Clock) -> None:
    """Whether its row was swept away or not."""
    storage.incr("a", 60)
    clock.now += 60

    assert storage.get("a") == 0
    assert storage.get_expiry("a") == pytest.approx(clock.now)


def test_a_clock_set_back_does_not_lengthen_a_block(storage: SqlCounters, clock: Clock) -> None:
    """A window that would end later than any window can is not believed."""
    storage.incr("a", 60)
    clock.now -= 3600

    assert storage.incr("a", 60) == 1
    assert storage.get_expiry("a") == pytest.approx(clock.now + 60)


def test_a_clock_that_wavers_forgets_nothing(storage: SqlCounters, clock: Clock) -> None:
    """Two processes read the clock in one order and count in the other."""
    storage.incr("a", 60)
    clock.now -= 0.5

    assert storage.incr("a", 60) == 2


def test_clear_forgets_one_key_and_reset_all(storage: SqlCounters) -> None:
    """An operator's way out; reset tells how many there were."""
    for key in "abc":
        storage.incr(key, 60)

    storage.clear("a")

    assert [storage.get(key) for key in "abc"] == [0, 1, 1]
    assert [storage.reset(), storage.reset()] == [2, 0]


def test_rows_are_bounded_by_what_is_counted_now(storage: SqlCounters, rows: Rows, clock: Clock) -> None:
    """An attacker with many addresses leaves nothing behind: windows that are over go as new ones come."""
    for number in range(5 * SWEPT_EVERY):
        storage.incr(f"before-{number}", 60)
    clock.now += 60

    for number in range(4 * SWEPT_EVERY):
        storage.incr(f"now-{number}", 60)

    ((left,),) = rows.run(Statement(sa.text("SELECT count(*) FROM counters")))
    assert left == 4 * SWEPT_EVERY
    assert SWEPT_AT_ONCE > SWEPT_EVERY


def test_threads_count_exactly(storage: SqlCounters) -> None:
    """Of eight threads at the same time each hit gets a number of its own."""
    with ThreadPoolExecutor(8) as threads:
        counted = list(threads.map(lambda _: storage.incr("a", 60), range(200)))

    assert sorted(counted) == list(range(1, 201))


def test_limits_finds_the_storage_by_its_scheme(database: Database) -> None:
    """What Flask-Limiter does with the chosen address and options gives a limiter that limits."""
    chosen = choose(database, redis=None)

    storage = storage_from_string(chosen.uri, **chosen.options)

    assert isinstance(storage, Storage)
    limiter, item = FixedWindowRateLimiter(storage), RateLimitItemPerMinute(2)
    assert [limiter.hit(item, "a") for _ in range(3)] == [True, True, False]
    assert storage.check()


@pytest.mark.parametrize(
    ("database", "file"),
    [
        ("state/vestibule.sqlite3", "state/counters.sqlite3"),
        ("state/main.sqlite3", "state/main.sqlite3.counters.sqlite3"),
        ("linked/vestibule.sqlite3", "state/counters.sqlite3"),
        ("link.sqlite3", "state/counters.sqlite3"),
    ],
)
def test_the_counters_are_beside_the_database(tmp_path: Path, database: str, file: str) -> None:
    """All that open the same file count in it, by each way of naming it; two databases count apart."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "vestibule.sqlite3").touch()
    (tmp_path / "linked").symlink_to("state")
    (tmp_path / "link.sqlite3").symlink_to("state/vestibule.sqlite3")
    chosen = choose(Database(f"sqlite:///{tmp_path / database}"), redis=None)

    storage_from_string(chosen.uri, **chosen.options).incr("a", 60)

    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*counters.sqlite3")] == [file]


def test_choosing_opens_nothing(tmp_path: Path) -> None:
    """The choice is made before workers are forked: no file, no connection yet."""
    database = Database(f"sqlite:///{tmp_path / 'vestibule.sqlite3'}")

    chosen = choose(database, redis="redis://127.0.0.1:1/0")

    storage_from_string(chosen.uri, **chosen.options)
    assert list(tmp_path.iterdir()) == []
