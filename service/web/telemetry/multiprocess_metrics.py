"""Counts of all workers, in files of prometheus_client's in one directory.

By itself the library begins new files for each process, keeps those of the dead for ever, and ends the process (SIGBUS)
on a full disk. Here a new worker continues the files of a dead one, and the blocks of a file are reserved before they
are used: without space a count waits in memory, and is added to the file once there is space.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from errno import ENOSPC
from pathlib import Path
from typing import Any, Final

import structlog
from prometheus_client import mmap_dict, values
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import mark_process_dead

from service.metrics_dir import MetricsDir

FIRST_BYTES: Final = 4096  # doubled when they are used up
RETRY_SECONDS: Final = 1.0
_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"
_put: Final[Callable[[Any, int, float, float], None]] = mmap_dict._pack_two_doubles  # noqa: SLF001


def nowhere() -> bool:
    """Whether gunicorn serves without our configuration: each of its workers would count for itself."""
    return "gunicorn.arbiter" in sys.modules and _DIRECTORY not in os.environ


def prepare(directory: MetricsDir) -> None:
    """Count in this directory. Comes before anything that makes a metric."""
    SPACE.directory = directory
    os.environ[_DIRECTORY] = str(directory.path)
    vars(values)["MmapedDict"] = _Counts
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]


def forget_the_dead() -> None:
    """Remove the gauges of processes that ended; what they counted stays. For the master, when a worker ended."""
    for path in SPACE.directory.path.glob("gauge_live*.db"):
        number = int(path.stem.rpartition("_")[2])
        with suppress(OSError):
            if SPACE.directory.is_free(number):
                mark_process_dead(number)  # type: ignore[no-untyped-call]


class _Space:
    """The directory of this process, and those of its counts that wait for space there."""

    directory: MetricsDir

    def __init__(self) -> None:
        self.on_shortage: Callable[[], None] = lambda: None
        self.on_worker: Callable[[int], None] = lambda _configured: None  # called in each worker that begins
        self.waiting: set[_Counts] = set()
        self._unsaid = ""
        self._is_short = False
        self._retry_at = 0.0

    def use(self) -> None:
        """Store what waits; without space, try again after a second."""
        if time.monotonic() < self._retry_at:
            return
        try:
            while self.waiting:
                next(iter(self.waiting)).store(self.directory)
        except OSError as fault:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            if not self._is_short:
                self._is_short, self._unsaid = True, f"counts cannot be stored until there is space again: {fault}"
        else:
            if self._is_short:
                self._is_short, self._unsaid = False, "counts are stored again, those since there was no space as well"

    def say(self) -> None:
        """Log that there is no space since the last call, or that there is space again. Not in a count: logs count."""
        if self._unsaid:
            said, self._unsaid = self._unsaid, ""
            structlog.get_logger().warning("metrics_space", directory=str(self.directory.path), detail=said)
            if self._is_short:
                self.on_shortage()


SPACE: Final = _Space()


class _Counts:
    """The counts of one kind of this process, each stored with what earlier processes of its number have counted."""

    def __init__(self, filename: str) -> None:
        """Take the library's name of a file, of which the kind counts: `counter_<process id>.db`."""
        self._kind = Path(filename).name.rpartition("_")[0]
        self._file: _File | None = None
        self._stored: dict[str, tuple[int, float]] = {}
        self._waiting: dict[str, tuple[float, float]] = {}

    def read_value(self, key: str) -> tuple[float, float]:
        """Begin a series in this process; return its value and its time."""
        self.write_value(key, 0.0, 0.0)
        return 0.0, 0.0

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        """Store the value that this process has reached."""
        if self._file and key in self._stored:
            position, before = self._stored[key]
            _put(self._file._m, position, before + value, timestamp)  # noqa: SLF001
        else:
            self._waiting[key] = value, timestamp
            SPACE.waiting.add(self)
        if SPACE.waiting:
            SPACE.use()

    def store(self, directory: MetricsDir) -> None:
        """Store every series that waits. Raises OSError without space."""
        if not self._file:
            path = directory.path / f"{self._kind}_{directory.number()}.db"
            if self._kind.startswith("gauge"):
                path.unlink(missing_ok=True)
            self._file = _File(path)
        for key, (value, timestamp) in list(self._waiting.items()):
            position, before = self._stored[key] = self._file.begin(key)
            _put(self._file._m, position, before + value, timestamp)  # noqa: SLF001
            del self._waiting[key]
        SPACE.waiting.discard(self)

    def close(self) -> None:
        """Leave the file to the process that this one was forked from."""
        SPACE.waiting.discard(self)


class _File(MmapedDict):
    """A file as prometheus_client writes it, with its blocks reserved. Raises OSError without space."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            new = path.with_suffix(".new")
            new.touch(mode=0o600)
            _reserve(new, 0, FIRST_BYTES)
            new.rename(path)  # a scrape reads whole files only
        super().__init__(str(path))  # type: ignore[no-untyped-call]

    def begin(self, key: str) -> tuple[int, float]:
        """Return where the value of a series stands, and the value. Raises OSError without space."""
        before, _ = self.read_value(key)  # type: ignore[no-untyped-call]
        return self._positions[key], before

    def _init_value(self, key: str) -> None:
        capacity = self._capacity
        while self._used + len(key.encode()) + 4 + 8 + 16 > capacity:  # length, padding, two numbers
            capacity *= 2
        if capacity > self._capacity:
            _reserve(Path(self._fname), self._capacity, capacity)
        super()._init_value(key)  # type: ignore[no-untyped-call]


def _reserve(path: Path, begin: int, end: int) -> None:
    """Have a file's blocks between two offsets, or the file as it was and an OSError."""
    with path.open("r+b", buffering=0) as file:
        file.seek(begin)
        if file.write(bytes(end - begin)) != end - begin:
            file.truncate(begin)
            raise OSError(ENOSPC, os.strerror(ENOSPC), str(path))
