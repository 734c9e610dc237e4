"""The directory in which all processes of one service count: who uses it, and under which number.

Each process locks one byte of a file there; the byte's offset is its number. A directory of which no process has locked
a byte is not in use, even after `kill -9`: the next start empties it, and removes it if it is one of our own.
"""

import atexit
import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Final

_LOCK: Final = "processes.lock"
_ALL: Final = 0  # as a length: all bytes from the first one on


class MetricsDir:
    """A directory that this process uses, and those that it forks, each with a number. The last one empties it."""

    def __init__(self, path: Path, make: Callable[[Path], object]) -> None:
        """Use the directory; it is emptied first, unless another master uses it (USR2). `make` makes it."""
        self.path = path
        self._file, self._number = -1, -1
        os.register_at_fork(after_in_child=self._forget_number)
        atexit.register(self._give_back, os.getpid())
        with suppress(OSError):  # without space for the lock, each count tries again
            while self._number < 0:
                make(path)
                with suppress(FileNotFoundError):  # another start has just removed it
                    self.number()

    def _forget_number(self) -> None:
        self._number = -1

    def number(self) -> int:
        """Return the lowest number that was free when this process asked first. Raises OSError."""
        if self._file < 0:
            self._file = _opened(self.path)
        if self._number < 0:
            if _lock(self._file, 0, _ALL):
                _empty(self.path)
                fcntl.lockf(self._file, fcntl.LOCK_UN, _ALL, 1)
            number = next(each for each in count() if _lock(self._file, each, 1))
            if not os.fstat(self._file).st_nlink:
                self._file = -1
                raise FileNotFoundError(str(self.path))
            self._number = number
        return self._number

    def is_free(self, number: int) -> bool:
        """Whether no live process has this number. Raises OSError."""
        if number == self.number() or not _lock(self._file, number, 1):
            return False
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number)
        return True

    def _give_back(self, process: int) -> None:
        if os.getpid() == process:
            if self._file >= 0:
                os.close(self._file)
            _remove(self.path)


def our_name(rest: str) -> str:
    """Return the name of a directory of our own: it begins with the user whose it is."""
    return f"vestibule-metrics-{os.geteuid()}-{rest}"


def remove_unused(parent: Path) -> None:
    for path in parent.glob(our_name("*")):
        with suppress(FileNotFoundError):  # another start, or the end of another service, has just removed it
            if path.lstat().st_uid == os.geteuid():
                _remove(path)


def _remove(path: Path) -> None:
    """Empty a directory, unless a process uses it; one of our own goes, unless it holds files of others.

    The lock file is not made here: a second process that removes the directory at the same time would keep it alive.
    """
    with suppress(OSError):
        with suppress(FileNotFoundError):
            file = _opened(path, os.O_RDWR)
            try:
                if not _lock(file, 0, _ALL):
                    return
                _empty(path)
                (path / _LOCK).unlink()
            finally:
                os.close(file)
        if path.match(our_name("*")):
            path.rmdir()


def _opened(directory: Path, how: int = os.O_RDWR | os.O_CREAT) -> int:
    return os.open(directory / _LOCK, how | os.O_NOFOLLOW, 0o600)


def _lock(file: int, first: int, length: int) -> bool:
    """Lock bytes until this process ends. False where another process has locked one of them."""
    with suppress(BlockingIOError):
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, length, first)
        return True
    return False


def _empty(directory: Path) -> None:
    for kind in ("counter", "gauge", "histogram", "summary"):  # no other file: the operator may have named a directory
        for found in (*directory.glob(f"{kind}_*.db"), *directory.glob(f"{kind}_*.new")):
            found.unlink(missing_ok=True)
