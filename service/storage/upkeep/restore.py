"""Putting the database of a backup in the place of an SQLite database. Killed at any moment, one of the two is there.

The new file is made in a directory beside the old one, and checked, and everybody is signed out in it, before a rename
puts it in place. A log that lay beside the old file would be applied to the new one: so the old one is first closed,
as its last user does. It stays under another name.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from io import FileIO
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from service import state_dir
from service.as_owner import as_owner_of, open_unplanted
from service.login.audit import Entry, Happened
from service.services.upkeep import BadBackup, Progress
from service.storage.audit import SqlAudit
from service.storage.engine import sqlite
from service.storage.engine.database import Database
from service.storage.engine.directory_lock import locked
from service.storage.engine.statement import Statement
from service.storage.links import links
from service.storage.sessions import sessions
from service.storage.upkeep import file_locks, last_backup
from service.storage.upkeep.backups import in_words, require_space, rows_of, stamped
from service.storage.upkeep.file_checks import exclusively
from service.storage.upkeep.manifest import DATABASE, Manifest, readable

_SLICE: Final = 1024 * 1024
_LOGS: Final = ("-wal", "-journal", "-shm")
_KEPT_SECONDS: Final = 2**40


def restore(place: Path, database: Path, *, by: str, now: int, show: Progress) -> tuple[Path | None, int]:
    """Restore a backup. Return where the old database lies, if there was one, and how many sessions ended.

    Raises BadBackup, and leaves everything as it was.
    """
    found = Manifest.read(place)
    with _opened(place / DATABASE) as original, exclusively(database), as_owner_of(database.parent):
        database = database.resolve()
        require_space(database.parent, os.fstat(original.fileno()).st_size)
        try:
            with _unused(database), _draft(database) as draft:
                found.require(DATABASE, _copied(original, draft, show), place)
                rows = rows_of(draft, called=place / DATABASE)
                _sign_out(draft, min(found.made_at, now), Entry(now, Happened.RESTORED, by=by, detail=place.name))
                state_dir.sync(draft)
                kept = _set_aside(database, now)
                draft.replace(database)
                state_dir.sync(database.parent)
        except (OSError, sqlite.DRIVER.Error) as failure:
            raise BadBackup(f"{place} was not restored to {database}: {in_words(failure, database)}") from failure
    return kept, rows["sessions"]


@contextmanager
def _opened(file: Path) -> Iterator[FileIO]:
    """Open the database of a backup. Raises BadBackup."""
    try:
        handle = open_unplanted(readable(file))
    except OSError as fault:
        raise BadBackup(f"{file} cannot be read ({fault.strerror})") from None
    with os.fdopen(handle, "rb", buffering=0) as original:
        yield original


@contextmanager
def _unused(database: Path) -> Iterator[None]:
    """Keep processes from opening a database, for which each holds its directory. Raises BadBackup."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(database.parent))
        except BlockingIOError:
            raise _in_use(database) from None
        yield


def _in_use(database: Path) -> BadBackup:
    users = file_locks.holders(database.parent, database, database.with_name(f"{database.name}-shm"))
    return BadBackup(f"{database} is in use by {users}: stop the service, and commands that run")


@contextmanager
def _draft(database: Path) -> Iterator[Path]:
    """Yield the name of a file in a new directory, where no other user can plant anything."""
    folder = database.with_name(f".{database.name}.restoring")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder / database.name
    finally:
        shutil.rmtree(folder)


def _copied(original: FileIO, draft: Path, show: Progress) -> dict[str, int | str]:
    """Copy a file; return the size and the digest of what was copied."""
    digest, whole = hashlib.sha256(), os.fstat(original.fileno()).st_size
    state_dir.make_file(draft)
    with draft.open("wb") as made:  # with a buffer: without, a full disk writes less, and says nothing
        while data := original.read(_SLICE):
            digest.update(data)
            made.write(data)
            show("Copying", original.tell(), whole)
        return {"size": original.tell(), "sha256": digest.hexdigest()}


def _sign_out(draft: Path, made_at: int, entry: Entry) -> None:
    database = Database(f"sqlite:///{draft}", durable=False)
    with database.wholesale():  # with foreign keys, a table is emptied row by row
        for table in (sessions, links):
            database.run(Statement(sa.delete(table)))
        SqlAudit(database, kept_seconds=_KEPT_SECONDS).add(entry)
        last_backup.note(database, made_at)
    database.close()


def _set_aside(database: Path, now: int) -> Path | None:
    """Give the old file, and what a damaged one cannot take in of its logs, another name. The file keeps its own."""
    kept = database.with_name(stamped(f"{database.name}.before-restore-", now))
    if kept.exists():
        raise BadBackup(f"{kept} exists already, of another restore in this second: type it again")
    is_there = database.exists()
    if is_there:
        _close(database)
        os.link(database, kept)
    for end in _LOGS:
        log = database.with_name(f"{database.name}{end}")
        if log.exists():
            log.replace(kept.with_name(f"{kept.name}{end}"))
    return kept if is_there else None


def _close(database: Path) -> None:
    """Have a sound database take its log in. Raises BadBackup when another process uses it."""
    try:
        with closing(sqlite.DRIVER.connect(sqlite.address_of(database), uri=True, timeout=0)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite.DRIVER.Error as failure:
        if sqlite.is_busy(failure):
            raise _in_use(database) from None
