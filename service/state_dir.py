"""The service's own files and directories: for their owner alone, safe from power cuts, refused when open to others.

A reader of them could sign in as others, and a writer make an administrator.
"""

import os
import shlex
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_OF_OTHERS: Final = 0o077
USABLE: Final = os.R_OK | os.W_OK | os.X_OK
# The most that other users may do. The files of the state directory protect themselves (0600), and volumes of
# orchestrators come as 2775 and cannot be changed. A user who reaches the socket speaks to the service without nginx.
STATE_MODE: Final = 0o755
SOCKET_MODE: Final = 0o750
DATABASE: Final = "vestibule.sqlite3"
_LOGS: Final = ("", "-wal", "-shm", "-journal")


def make_file(path: Path) -> None:
    """Make an empty file that only its owner may read; for root, the owner of the directory it lies in.

    A name that is taken, by a symbolic link too, is refused: it may have been put there for root to follow.
    """
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        give_to_owner_of(path.parent, handle)
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """Make a directory that only its owner may enter; for root, the owner of the directory it lies in."""
    if path.is_dir():
        return
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def give_to_owner_of(directory: Path, handle: int) -> None:
    """Started as root, leave a file to the owner of its directory: the service does not run as root."""
    if os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)


def sync(path: Path) -> None:
    """Make a file, or the names in a directory, survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fault_of_rights(files: Iterable[Path]) -> str | None:
    """Return what to type when others than its owner may read or write one of the files; a missing one is no fault."""
    wide = [file for file in files if os.access(file, os.F_OK) and file.stat().st_mode & _OF_OTHERS]
    if not wide:
        return None
    named, quoted = ", ".join(map(str, wide)), " ".join(shlex.quote(str(file)) for file in wide)
    return f"{named} can be read or written by others than its owner: chmod 600 {quoted}"


def counter_file_of(database: Path) -> Path:
    """Return the counters' file of an SQLite database, beside it: processes that share the one share the other.

    Links are followed, as SQLite does for its logs: all names of one database have one file of counters.
    """
    file = database.resolve()
    return file.with_name("counters.sqlite3" if file.name == DATABASE else f"{file.name}.counters.sqlite3")


def fault_of_database(database: Path, state: Path) -> str | None:
    """Return what to type when others than the owner may read or write an SQLite database, its logs or its copies."""
    files = [file.with_name(file.name + log) for file in (database, counter_file_of(database)) for log in _LOGS]
    return fault_of_rights([*files, state / "database.made", *sorted((state / "backups").glob("*.sqlite3"))])


def fault_of(directory: Path, mode: int, *, user: int) -> str | None:
    """Return what keeps this user from an existing directory, or why other users could have made it or may enter it.

    A symbolic link counts like its directory, unless it is another user's.
    """
    found, quoted = directory.stat(), shlex.quote(str(directory))
    if directory.is_symlink() and directory.lstat().st_uid not in {0, user}:
        return f"{directory} is a symbolic link of another user: remove it, or choose another directory"
    if found.st_uid not in {0, user} or not os.access(directory, os.W_OK | os.X_OK):
        return f"{_found(directory)} must belong to user {user} and be writable: chown {user}:{os.getegid()} {quoted}"
    if found.st_mode & 0o7 & ~mode and found.st_mode & stat.S_ISVTX:
        return f"{directory} is shared by all users, as /tmp is: choose a directory of its own"
    if found.st_mode & 0o7 & ~mode:
        return f"{_found(directory)} is open to other users: chmod {mode:04o} {quoted}"
    return None


def fault_of_place(directory: Path, mode: int, *, user: int) -> str | None:
    """Return what keeps this user from a directory, or from making it where it is missing."""
    nearest = next(each for each in (directory, *directory.parents) if os.access(each, os.F_OK))
    if not nearest.is_dir():
        return f"{nearest} is not a directory: choose another path, or move it away"
    if nearest != directory and not os.access(nearest, os.X_OK):
        user, quoted = os.geteuid(), shlex.quote(str(nearest))
        return f"{directory} is below {nearest}, which user {user} may not enter: chmod o+x {quoted}, or choose another"
    if not os.access(nearest, USABLE):
        return remedy(directory)
    return fault_of(directory, mode, user=user) if nearest == directory else None


def remedy(path: Path) -> str:
    """Return what to type so that this user can make a directory, or use a directory or a file; -H follows links."""
    user, group, quoted = os.geteuid(), os.getegid(), shlex.quote(str(path))
    if not os.access(path, os.F_OK):
        return f"{path} cannot be made by user {user}: sudo install -d -m 750 -o {user} -g {group} {quoted}"
    said = f"{_found(path)} must be readable and writable by user {user}: choose another path or, where it belongs to "
    return f"{said}the service alone, type: sudo chown -RH {user}:{group} {quoted}"


def _found(path: Path) -> str:
    found = path.stat()
    return f"{path} (owner {found.st_uid}, mode {stat.S_IMODE(found.st_mode):04o})"
