"""The service's own files and directories: for their owner alone, safe from power cuts, refused when open to others.

A reader of them could sign in as others, and a writer make an administrator.
"""

import errno
import logging
import os
import shlex
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from service.as_owner import as_owner_of
from service.mounts import DATABASE

USABLE: Final = os.R_OK | os.W_OK | os.X_OK
OF_THE_DISK: Final = {errno.EROFS, errno.ENOSPC, errno.EDQUOT}
_LEAST_FREE_BYTES: Final = 1024 * 1024  # what SQLite may need at once beside a database: its log and its index
_BESIDE: Final = ("", "-wal", "-shm", "-journal", ".lock")
_log: Final = logging.getLogger(__name__)


def make_file(path: Path) -> None:
    """Make an empty file that only its owner may read; for root, the owner of the directory it lies in.

    A name that is taken, by a symbolic link too, is refused.
    """
    with as_owner_of(path.parent) as entered:
        os.close(os.open(entered / path.name, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))


def make_folder(path: Path) -> None:
    """Make a directory that only its owner may enter; for root, the owner of the directory it lies in."""
    with as_owner_of(path) as entered:
        entered.mkdir(mode=0o700, parents=True, exist_ok=True)


def sync(path: Path) -> None:
    """Make a file, or the names in a directory, survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def keep_closed(paths: Iterable[Path]) -> None:
    """Take back what a mount gave a group of ours: all rights to a file, writing to a directory."""
    taken = []
    for path in paths:
        with suppress(OSError):
            found = path.stat()
            given = found.st_mode & (stat.S_IWGRP if stat.S_ISDIR(found.st_mode) else stat.S_IRWXG)
            if given and found.st_uid == path.lstat().st_uid == os.geteuid() and found.st_gid in _groups():
                path.chmod(stat.S_IMODE(found.st_mode) & ~given)
                taken.append(str(path))
    if taken:
        _log.warning("Group rights, as Kubernetes gives at a mount (fsGroup), were taken back: %s", ", ".join(taken))


def fault_of_rights(files: Iterable[Path]) -> str | None:
    """Return what to type when others than its owner may read or write one of the files; a missing one is no fault.

    A group of our own may: it is how a mount hands the files of one user to the next (OpenShift).
    """
    there = [file for file in files if may(file, os.F_OK)]
    for file in there:
        if is_foreign_link(file):
            return f"{file} is a symbolic link to a file of another user ({file.stat().st_uid}): remove it"
    wide = [file for file in there if _is_open(file.stat())]
    if not wide:
        return None
    named, quoted = ", ".join(map(str, wide)), " ".join(shlex.quote(str(file)) for file in wide)
    return f"{named} can be read or written by others than its owner: chmod 600 {quoted}"


def is_foreign_link(path: Path) -> bool:
    """Whether it is a link to what belongs to another user: root would write there, where the link's owner may not."""
    return path.lstat().st_uid not in {0, path.stat().st_uid}


def _is_open(found: os.stat_result) -> bool:
    return bool(found.st_mode & stat.S_IRWXO or (found.st_mode & stat.S_IRWXG and found.st_gid not in _groups()))


def _groups() -> set[int]:
    return {os.getegid(), *os.getgroups()}


def counter_file_of(database: Path) -> Path:
    """Return the counters' file of an SQLite database, beside it: processes that share the one share the other.

    Links are followed, as SQLite does for its logs: all names of one database have one file of counters.
    """
    file = database.resolve()
    return file.with_name("counters.sqlite3" if file.name == DATABASE else f"{file.name}.counters.sqlite3")


def files_of_database(database: Path, state: Path) -> list[Path]:
    """Return the files of an SQLite database that are kept from others: it, its logs, the counters, its copies."""
    files = [file.with_name(file.name + name) for file in (database, counter_file_of(database)) for name in _BESIDE]
    copies = state / "backups"
    may_list = os.access(copies, os.R_OK | os.X_OK)  # not as another user than the service's
    return [*files, state / "database.made", *(sorted(copies.glob("*.sqlite3")) if may_list else [])]


def fault_of_database(database: Path, state: Path) -> str | None:
    """Return what to do when others than the owner may read, write or replace an SQLite database, or its logs."""
    folder = database.parent
    if folder.is_dir() and folder.stat().st_mode & stat.S_IWOTH:
        return (
            f"{folder} may be written by every user, who could replace {database.name}: name another directory for it"
        )
    return fault_of_rights(files_of_database(database, state))


def fault_of_owner(path: Path) -> str | None:
    """Return what to do about a name that another user made, where all may; root works for every owner."""
    user = os.geteuid()
    if not user or not os.path.lexists(path) or path.lstat().st_uid in {0, user}:
        return None
    mine = f"chown -R {user}:{os.getegid()} {shlex.quote(str(path))}"
    return f"{path} was made by another user ({path.lstat().st_uid}): remove it, or if the service made it: {mine}"


def fault_of(directory: Path, mode: int, *, user: int) -> str | None:
    """Return what keeps this user from an existing directory, or why other users could have made it or may enter it.

    A symbolic link counts like its directory, unless it is another user's.
    """
    found, quoted = directory.stat(), shlex.quote(str(directory))
    if directory.is_symlink() and directory.lstat().st_uid not in {0, user}:
        return f"{directory} is a symbolic link of another user: remove it, or choose another directory"
    if found.st_uid not in {0, user} or not os.access(directory, os.W_OK | os.X_OK):
        return (
            f"{_described(directory)} must belong to user {user} and be writable: chown {user}:{os.getegid()} {quoted}"
        )
    if found.st_mode & 0o7 & ~mode and found.st_mode & stat.S_ISVTX:
        return f"{directory} is shared by all users, as /tmp is: choose a directory of its own"
    if found.st_mode & 0o7 & ~mode:
        return f"{_described(directory)} is open to other users: chmod {mode:04o} {quoted}"
    return None


def fault_of_place(directory: Path, mode: int, *, user: int) -> str | None:
    """Return what keeps this user from a directory, or from making it where it is missing."""
    nearest = _nearest(directory)
    if not nearest.is_dir():
        return f"{nearest} is not a directory: choose another path, or move it away"
    if closed := fault_of_way(directory):
        return closed
    if not os.access(nearest, USABLE):
        return _fault_of_mount(directory) or remedy(directory)
    return fault_of(directory, mode, user=user) if nearest == directory else None


def fault_of_way(path: Path) -> str | None:
    """Return which directory above a path this user may not enter."""
    nearest = _nearest(path)
    if nearest == path or may(nearest, os.X_OK):
        return None
    command = f"chmod o+x {shlex.quote(str(nearest))}"
    return f"{path} is below {nearest}, which user {os.geteuid()} may not enter: {command}, or choose another"


def fault_of_disk(path: Path) -> str | None:
    """Return what to do where no user can write: the file system of a path is read-only, or full."""
    if fault := _fault_of_mount(path):
        return fault
    found = os.statvfs(_nearest(path))
    free = found.f_bavail * found.f_frsize
    if (found.f_blocks and free < _LEAST_FREE_BYTES) or (found.f_files and not found.f_favail):
        room = f"{free // 1024} kB and {found.f_favail} files are left"
        return (
            f"the disk of {path} is full ({room}): make space on it, which this shows: df -h {shlex.quote(str(path))}"
        )
    return None


def _fault_of_mount(path: Path) -> str | None:
    if os.statvfs(_nearest(path)).f_flag & os.ST_RDONLY:
        return f"{path} is on a read-only file system: mount the volume for writing, or choose another path"
    return None


def _nearest(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if may(each, os.F_OK))


def may(path: Path, use: int) -> bool:
    """Whether this user may use a path so (`os.R_OK` and the like); root may work with the rights of an owner."""
    return os.access(path, use, effective_ids=True)


def remedy(path: Path) -> str:
    """Return what to type so that this user can make a directory, or use a directory or a file; -H follows links."""
    user = os.geteuid()
    if closed := fault_of_way(path):
        return closed
    if not may(path, os.F_OK):
        make = f"sudo install -d -m 750 -o {user} -g {os.getegid()} {shlex.quote(str(path))}"
        return f"{path} cannot be made by user {user}: {make}"
    return f"{_described(path)} must be readable and writable by user {user}: choose another path, {way_in(path)}"


def way_in(path: Path) -> str:
    """Return how a path that is closed to this user is used all the same."""
    give = f"sudo chown -RH {os.geteuid()}:{os.getegid()} {shlex.quote(str(path))}"
    return f"type the command as the user of the service or, where it belongs to the service alone, type: {give}"


def _described(path: Path) -> str:
    found = path.stat()
    return f"{path} (owner {found.st_uid}, mode {stat.S_IMODE(found.st_mode):04o})"
