"""Directories of ours on the RAM disk: each is locked by the master that uses it, so that no other start removes it.

What a killed master leaves there, and what a start that was refused has made, is removed by the next start.
"""

import atexit
import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path


def prefix() -> str:
    """Return how the names of our directories begin: with the user, whose they are."""
    return f"vestibule-{os.geteuid()}-"


def claim(directory: Path, clear: Callable[[Path], None]) -> bool:
    """Hold a directory until this process and those that it forks have ended, and then remove it.

    False where another process has just removed it: then it has to be made again. `clear` removes what is ours in it.
    """
    lock = _locked(directory, fcntl.LOCK_SH)
    if lock is None:
        return False
    master = os.getpid()

    def give_back() -> None:
        if os.getpid() == master:
            os.close(lock)
            remove_unused(directory.parent, clear)

    atexit.register(give_back)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # until gunicorn listens for signals itself
    return True


def remove_unused(parent: Path, clear: Callable[[Path], None]) -> None:
    """Remove our directories that no process holds; what others put into one stays, with the directory."""
    for path in parent.glob(f"{prefix()}*"):
        lock = _locked(path, fcntl.LOCK_EX)
        if lock is not None:
            with contextlib.suppress(OSError):
                clear(path)
                path.rmdir()
            os.close(lock)


def _locked(directory: Path, how: int) -> int | None:
    """Return a lock; None where another process holds it, or where the directory is gone or not one of ours."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            found = os.fstat(descriptor)
            if found.st_nlink and found.st_uid == os.geteuid():
                return descriptor
        os.close(descriptor)
    return None
