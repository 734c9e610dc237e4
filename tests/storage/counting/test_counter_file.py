"""The counters' own file: private, shared, and replaced when it is of no use."""

import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.services import Unavailable
from service.storage.counting.counter_file import CounterFile
from service.storage.counting.sql_counters import SqlCounters
from service.storage.engine import sqlite
from service.storage.engine.statement import Statement


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
    assert len([line for line in caplog.messages if re.search("an empty file takes its place", line)]) == 1


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


@pytest.fixture
def _looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is looked at each time, not once a second."""
    monkeypatch.setattr(sqlite, "FILE_CHECK_SECONDS", 0)


@pytest.mark.usefixtures("_looking")
def test_a_log_without_its_file_is_not_taken_for_the_next_ones(tmp_path: Path) -> None:
    """The file is deleted and its log is left: the new file begins empty, and sound."""
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


@pytest.mark.usefixtures("_looking")
def test_everybody_goes_on_with_a_new_file(tmp_path: Path) -> None:
    """When the file is deleted under two running workers, they count together again."""
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
