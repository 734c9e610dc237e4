"""Counters of the outer limits, as `limits` and Flask-Limiter use them: fixed windows in SQL."""

import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from limits import RateLimitItemPerMinute
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from service.services import Unavailable
from service.storage import counters
from service.storage.counter_file import CounterFile
from service.storage.counters import SWEPT_AT_ONCE, SWEPT_EVERY, Rows, SqlCounters
from service.storage.database import Database, Statement


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.25

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def file(memory_path: Path) -> CounterFile:
    """The counters' file, not made yet."""
    return CounterFile(memory_path / "counters.sqlite3")


@pytest.fixture(params=["file", "postgresql"])
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


def test_limits_finds_the_storage_by_its_scheme(database: Database, tmp_path: Path) -> None:
    """What Flask-Limiter does with the chosen address and options gives a limiter that limits."""
    chosen = counters.choose(database, state_dir=tmp_path, redis=None)

    storage = storage_from_string(chosen.uri, **chosen.options)

    assert isinstance(storage, Storage)
    limiter, item = FixedWindowRateLimiter(storage), RateLimitItemPerMinute(2)
    assert [limiter.hit(item, "a") for _ in range(3)] == [True, True, False]
    assert storage.check()
    assert not chosen.degraded


def test_choosing_opens_nothing(tmp_path: Path) -> None:
    """The choice is made before workers are forked: no file, no connection yet."""
    database = Database(f"sqlite:///{tmp_path / 'vestibule.sqlite3'}")

    chosen = counters.choose(database, state_dir=tmp_path, redis="redis://127.0.0.1:1/0")

    storage_from_string(chosen.uri, **chosen.options)
    assert list(tmp_path.iterdir()) == []


# --- the file ---


def test_the_file_is_private_and_outlives_its_processes(tmp_path: Path) -> None:
    """Counts are still there after a restart."""
    path = tmp_path / "counters.sqlite3"
    SqlCounters(rows=CounterFile(path)).incr("a", 60)

    assert SqlCounters(rows=CounterFile(path)).get("a") == 1
    assert {0o600} == {found.stat().st_mode & 0o777 for found in tmp_path.iterdir()}


@pytest.mark.parametrize("damage", [b"Dear diary,\n" * 1000, b"", b"SQLite format 3\0" + b"\xaa" * 8176])
def test_a_damaged_file_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes) -> None:
    """Counters are not worth a stop: limits start anew, and the log says so once."""
    path = tmp_path / "counters.sqlite3"
    path.write_bytes(damage)
    storage = SqlCounters(rows=CounterFile(path))

    counted = [storage.incr("a", 60) for _ in range(3)]

    assert counted == [1, 2, 3]
    assert len([line for line in caplog.messages if re.search("replaced by an empty one", line)]) == 1


def test_a_file_that_is_damaged_inside_is_replaced(tmp_path: Path) -> None:
    """Where the beginning is sound and a page further on is not, too."""
    path = tmp_path / "counters.sqlite3"
    before = CounterFile(path)
    for number in range(300):
        SqlCounters(rows=before).incr(f"{number:064}", 60)
    before.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:12288] + b"\xaa" * (len(whole) - 12288))
    storage = SqlCounters(rows=CounterFile(path))

    counted = [storage.incr(f"{number:064}", 60) for number in range(0, 300, 10)]

    assert set(counted) <= {1, 2}
    assert storage.incr(f"{0:064}", 60) >= 2


def test_a_log_without_its_file_is_not_taken_for_the_next_ones(tmp_path: Path) -> None:
    """Somebody deletes the file and leaves its log: the new file begins empty, and sound."""
    path = tmp_path / "counters.sqlite3"
    storage = SqlCounters(rows=CounterFile(path))
    for number in range(100):
        storage.incr(f"{number}", 60)
    path.unlink()

    assert SqlCounters(rows=CounterFile(path)).get("1") == 0
    assert storage.incr("1", 60) == 1


def test_a_file_of_another_form_is_replaced(tmp_path: Path) -> None:
    """A later release may keep counters otherwise; going back to this one starts them anew."""
    other = CounterFile(tmp_path / "counters.sqlite3")
    SqlCounters(rows=other).incr("a", 60)
    other.run(Statement(sa.text("ALTER TABLE counters RENAME COLUMN hits TO tries")))

    assert SqlCounters(rows=other).incr("a", 60) == 1


def test_everybody_goes_on_with_a_new_file(tmp_path: Path) -> None:
    """When somebody deletes the file under two running workers, they count together again at once."""
    path = tmp_path / "counters.sqlite3"
    workers = [SqlCounters(rows=CounterFile(path)) for _ in range(2)]
    for worker in workers:
        worker.incr("a", 60)
    for file in tmp_path.iterdir():
        file.unlink()

    counted = [worker.incr("a", 60) for worker in workers for _ in range(2)]

    assert counted == [1, 2, 3, 4]


def test_many_threads_meet_a_damaged_file(tmp_path: Path) -> None:
    """However many find the damage at once, the file is replaced once and every hit counts."""
    path = tmp_path / "counters.sqlite3"
    path.write_bytes(b"damage" * 1000)
    workers = [SqlCounters(rows=CounterFile(path)) for _ in range(8)]
    together = threading.Barrier(8)

    def count(worker: SqlCounters) -> int:
        together.wait()
        return worker.incr("a", 60)

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(count, workers)) == list(range(1, 9))


def test_counters_that_cannot_be_kept_let_nobody_through(tmp_path: Path) -> None:
    """Without a place to count, the answer is Unavailable, never yes."""
    storage = SqlCounters(rows=CounterFile(tmp_path / "file" / "counters.sqlite3"))
    (tmp_path / "file").touch()

    with pytest.raises(Unavailable):
        storage.incr("a", 60)
    assert not storage.check()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")
def test_root_makes_the_file_for_the_directorys_owner(tmp_path: Path) -> None:
    """A command that root typed leaves nothing behind that the service cannot open."""
    os.chown(tmp_path, 4711, 4712)

    SqlCounters(rows=CounterFile(tmp_path / "counters.sqlite3")).incr("a", 60)

    assert {(4711, 4712)} == {(found.stat().st_uid, found.stat().st_gid) for found in tmp_path.iterdir()}
