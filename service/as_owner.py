"""Root at work in another user's directory, who could plant links for root to follow: with the rights of that user."""

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_CAPABILITIES: Final = 0x20080522  # the version of Linux' structures that hold 64 of them
_DAC_READ_SEARCH: Final = 1 << 2
_one_at_a_time: Final = threading.RLock()  # the user and the working directory are those of the whole process


@contextmanager
def as_owner_of(directory: Path) -> Iterator[Path]:
    """Let root write with the rights of the directory's owner; for other users, change nothing.

    Where the directory is missing, the nearest one above counts. Yields the path to write below, which root has
    entered: the owner may not be allowed to enter the directories above. Raises OSError.
    """
    if os.getuid() != 0:
        yield directory
        return
    with _one_at_a_time:
        if os.geteuid() != 0:  # within another such block
            yield directory
            return
        with _entered(directory) as below:
            yield below


@contextmanager
def _entered(directory: Path) -> Iterator[Path]:
    nearest = next(each for each in (directory, *directory.parents) if os.path.lexists(each))
    entered = open_unplanted(nearest, os.O_DIRECTORY)
    before, groups, owner = os.open(".", os.O_DIRECTORY | os.O_CLOEXEC), os.getgroups(), os.fstat(entered)
    try:
        os.fchdir(entered)
        if owner.st_uid != 0:
            _become(owner)
        yield directory.relative_to(nearest)
    finally:
        if owner.st_uid != 0:
            os.seteuid(0)
            os.setegid(0)
            os.setgroups(groups)  # which a user namespace may deny
        os.fchdir(before)
        os.close(before)
        os.close(entered)


def _become(owner: os.stat_result) -> None:
    """Take the rights of a user; keep root's capability to enter and read all directories, where Linux grants it.

    The state directory, or Python itself, may lie in one that only root may enter (as with `deploy/unprivileged`).
    """
    import ctypes

    libc, header, held = ctypes.CDLL(None), (ctypes.c_uint32 * 2)(_CAPABILITIES, 0), (ctypes.c_uint32 * 6)()
    os.setgroups([])
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    with suppress(AttributeError):  # no Linux
        libc.capget(header, held)
        held[0] |= held[1] & _DAC_READ_SEARCH  # effective, of those permitted
        libc.capset(header, held)


def open_unplanted(path: Path, flags: int = 0) -> int:
    """Open a file or a directory for reading; root follows no link of one user to what is another's. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    found, named = os.fstat(handle), os.lstat(path)
    is_theirs = named.st_uid in {0, found.st_uid} if stat.S_ISLNK(named.st_mode) else os.path.samestat(found, named)
    if os.getuid() == 0 and not is_theirs:
        os.close(handle)
        raise PermissionError(errno.EPERM, "a symbolic link of another user: remove it", str(path))
    return handle
