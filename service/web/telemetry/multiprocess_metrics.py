"""Where gunicorn's workers count: files that all of them read, in a directory on a RAM disk.

prometheus_client's own values begin new files for each process, keep those of the dead for ever, and end the process
(SIGBUS) on a full disk. Here a new worker continues the files of a dead one, and blocks are reserved before they are
used: without space a count stays in memory, and is added to the file once there is space.
"""

import fcntl
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from errno import ENOSPC
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, Final
from weakref import WeakSet

import structlog
from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import mark_process_dead

FIRST_BYTES: Final = 4096  # doubled when they are used up
RETRY_SECONDS: Final = 1.0
_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"
_PREPARED: Final = "PROMETHEUS_MULTIPROC_PREPARED"


def prepare(directory: Path) -> None:
    """Count in this directory. Comes before anything that makes a metric; the first master empties the files.

    Not a master that reloads (HUP), and not one that takes over from another (USR2): workers count there already.
    """
    if os.environ.get(_PREPARED) != str(directory) or _DIRECTORY not in os.environ:
        clear(directory)
        os.environ[_PREPARED] = os.environ[_DIRECTORY] = str(directory)
    values.ValueClass = _Value


def nowhere() -> bool:
    """Whether gunicorn serves without our configuration: each of its workers would count for itself."""
    return "gunicorn.arbiter" in sys.modules and _DIRECTORY not in os.environ


def clear(directory: Path) -> None:
    """Remove every count."""
    for pattern in ("*.db", "*.lock", "*.new"):
        for found in directory.glob(pattern):
            found.unlink(missing_ok=True)


def forget_the_dead() -> None:
    """Remove the gauges of processes that ended; what they counted stays. For the master, when a worker ended."""
    for path in Path(os.environ[_DIRECTORY]).glob("*.lock"):
        with suppress(OSError), _locked(path):
            mark_process_dead(path.stem)  # type: ignore[no-untyped-call]


def _locked(path: Path) -> BinaryIO:
    """Return the file, locked until it is closed. Raises BlockingIOError while a live process has the lock."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        file.close()
        raise
    return file


class _Process:
    """The files and values of this process. Its files have the lowest number that no other live process has."""

    def __init__(self) -> None:
        self.on_shortage: Callable[[], None] = lambda: None
        self._values: WeakSet[_Value] = WeakSet()
        self.begin()

    def begin(self) -> None:
        """Begin anew in a forked process: files and counts so far are its parent's."""
        self.lock = threading.Lock()
        self.number: BinaryIO | None = None
        self._files: dict[str, _File] = {}
        self._retry_at = 0.0
        self.unsaid = ""
        self._is_short = False
        self._without_file = WeakSet(self._values)
        for value in self._values:
            value.begin()

    def add(self, value: "_Value") -> None:
        """Take one more."""
        self._values.add(value)
        self._without_file.add(value)

    def attach(self) -> bool:
        """Give every value its file, and return whether all have one; without space, try again after a second."""
        if time.monotonic() < self._retry_at:
            return False
        try:
            for value in list(self._without_file):
                value.attach()
                self._without_file.discard(value)
        except OSError as fault:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            if not self._is_short:
                self._is_short, self.unsaid = True, f"counts cannot be stored until there is space again: {fault}"
            return False
        if self._is_short:
            self._is_short, self.unsaid = False, "counts are stored again, those since there was no space as well"
        return True

    def file(self, prefix: str) -> "_File":
        """Return the open file of one kind. Raises OSError without space."""
        directory = Path(os.environ[_DIRECTORY])
        if self.number is None:
            self.number = _lowest_free(directory)
        if prefix not in self._files:
            self._files[prefix] = _File(directory / f"{prefix}_{Path(self.number.name).stem}.db")
        return self._files[prefix]

    def say(self) -> None:
        """Log that there was no space, or that there is space again. Not under the lock: the log counts, too."""
        said, self.unsaid = self.unsaid, ""
        structlog.get_logger().warning("metrics_space", directory=os.environ[_DIRECTORY], detail=said)
        if self._is_short:
            self.on_shortage()


def _lowest_free(directory: Path) -> BinaryIO:
    for number in count():
        with suppress(BlockingIOError):
            file = _locked(directory / f"{number}.lock")
            mark_process_dead(number, directory)  # type: ignore[no-untyped-call]
            return file
    raise AssertionError


class _File(MmapedDict):
    """A file as prometheus_client writes it, with its blocks reserved. Raises OSError without space."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            new = path.with_suffix(".new")
            new.touch(mode=0o600)
            _reserve(new, 0, FIRST_BYTES)
            new.rename(path)  # a scrape reads whole files only
        super().__init__(str(path))  # type: ignore[no-untyped-call]

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


class _Value:
    """A number of one series, with the methods that prometheus_client asks of its values."""

    _multiprocess = True

    def __init__(
        self,
        typ: str,
        metric_name: str,
        name: str,
        labelnames: list[str],
        labelvalues: list[str],
        help_text: str,
        multiprocess_mode: str = "",
        **_kwargs: Any,
    ) -> None:
        self._is_gauge = typ == "gauge"
        self._prefix = f"{typ}_{multiprocess_mode}" if self._is_gauge else typ
        self._key = mmap_key(metric_name, name, labelnames, labelvalues, help_text)
        self.begin()
        with PROCESS.lock:
            PROCESS.add(self)
            self._store()

    def begin(self) -> None:
        """Begin at nothing."""
        self._value = 0.0
        self._file: _File | None = None

    def attach(self) -> None:
        """Store in the process's file from now on, where a dead process left a count or none. Raises OSError."""
        file = PROCESS.file(self._prefix)
        before, _ = file.read_value(self._key)  # type: ignore[no-untyped-call]
        self._value += 0.0 if self._is_gauge else before
        file.write_value(self._key, self._value, 0.0)  # type: ignore[no-untyped-call]
        self._file = file

    def inc(self, amount: float) -> None:
        """Add."""
        with PROCESS.lock:
            self._value += amount
            self._store()
        if PROCESS.unsaid:
            PROCESS.say()

    def set(self, value: float, timestamp: float | None = None) -> None:
        """Set."""
        with PROCESS.lock:
            self._value = value
            self._store(timestamp or 0.0)
        if PROCESS.unsaid:
            PROCESS.say()

    def _store(self, timestamp: float = 0.0) -> None:
        if (self._file or PROCESS.attach()) and self._file:
            self._file.write_value(self._key, self._value, timestamp)  # type: ignore[no-untyped-call]

    def get(self) -> float:
        """Return what this process counted, with what it continues."""
        return self._value

    def set_exemplar(self, exemplar: object) -> None:
        """Keep none: the library's values for many processes keep none either."""

    def get_exemplar(self) -> None:
        """Return none."""


PROCESS: Final = _Process()
os.register_at_fork(after_in_child=PROCESS.begin)
