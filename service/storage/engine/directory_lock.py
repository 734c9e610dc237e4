"""A shared lock on the directory of an SQLite database, held while a process has the file open: no restore begins."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Lock a directory for this process alone. Raises BlockingIOError, without waiting, when others hold a lock."""
    handle = hold(directory, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(handle)


def hold(directory: Path, how: int = fcntl.LOCK_SH) -> int:
    """Lock a directory, and return the handle whose closing unlocks it. Raises OSError, without waiting."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


class DirectoryInUse:
    """The lock of one process; safe for threads."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._handle: int | None = None
        self._taking = threading.Lock()

    def take(self) -> None:
        """Hold the directory. Raises OSError, BlockingIOError while a backup is being restored."""
        with self._taking:
            if self._handle is None:
                self._handle = hold(Path(self._database).resolve().parent)

    def give_back(self) -> None:
        with self._taking:
            if self._handle is not None:
                os.close(self._handle)
            self._handle = None
