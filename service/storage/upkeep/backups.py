"""Backups of an SQLite database. Each is a directory: the database, the files that were handed in, and a manifest.

It is written under a name that begins with a dot, checked, synced and renamed: a backup is whole, or it is not there.
"""

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from service import RELEASE, state_dir
from service.as_owner import as_owner_of
from service.services.upkeep import Backup, BadBackup, Progress
from service.storage.engine import sqlite
from service.storage.engine.database import SchemaFault
from service.storage.engine.directory_lock import locked
from service.storage.upkeep import manifest, online_copy
from service.storage.upkeep.copies import integrity_fault
from service.storage.upkeep.manifest import DATABASE, Manifest
from service.storage.upkeep.revision import TABLES, require_release

_SPARE_BYTES: Final = 16 * 1024 * 1024  # left to the service
_UNFINISHED: Final = ".unfinished"
_STEPS_BETWEEN_RESTS: Final = 20_000
_IMMUTABLE: Final = "?mode=ro&immutable=1"  # no log is made beside it, and it may lie where nothing can be written


def make(
    database: Path, folder: Path, *, files: Mapping[str, bytes], keys: Sequence[bytes], now: int, show: Progress
) -> Backup:
    """Back the database up into a new directory in the folder, together with the files. Raises BadBackup."""
    name = stamped("vestibule-", now)
    with ExitStack() as stack:
        try:
            stack.enter_context(as_owner_of(folder))
            state_dir.make_folder(folder)
            _require_room(folder, database)
            with _unfinished(folder, name) as place:
                state_dir.make_file(place / DATABASE)
                online_copy.copy(database, place / DATABASE, show)
                for path, content in files.items():
                    (place / path).parent.mkdir(mode=0o700, exist_ok=True)
                    (place / path).write_bytes(content)
                _described(place, [DATABASE, *files], keys, now).write(place)
                made = verify(place, show, online_copy.pacing())
        except (OSError, sqlite.DRIVER.Error) as failure:
            raise BadBackup(f"no backup of {database} was made in {folder}: {in_words(failure, folder)}") from failure
    return replace(made, path=folder / name)


def verify(place: Path, show: Progress, rest: Callable[[], None] = lambda: None) -> Backup:
    """Check that a backup is whole, and of a release that this one can use. Raises BadBackup."""
    found = Manifest.read(place)
    show("Checking", 0, 2)
    found.check(place, rest)
    show("Checking", 1, 2)
    rows = rows_of(place / DATABASE, rest)
    show("Checking", 2, 2)
    return Backup(
        place, found.engine, found.made_at, found.release, found.revision, found.oldest_release, rows, found.secret_keys
    )


def rows_of(database: Path, rest: Callable[[], None] = lambda: None, *, called: Path | None = None) -> dict[str, int]:
    """Check a database that no process uses; return how many rows are in each table. Raises BadBackup."""
    named = called or database
    try:
        with _opened(database) as connection:
            _identity(connection, named)
            connection.set_progress_handler(rest, _STEPS_BETWEEN_RESTS)
            if fault := integrity_fault(connection):
                raise BadBackup(f"{named} is damaged ({fault}): take another backup")
            return {
                table: connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608 - found above
                for table in sorted(_tables(connection))
            }
    except sqlite.DRIVER.Error as failure:
        if getattr(failure, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:  # a signal, while it rested
            raise KeyboardInterrupt from None
        raise BadBackup(f"{named} is damaged ({failure}): take another backup") from failure


def stamped(prefix: str, now: int) -> str:
    """Return a name with a moment in it, so that names sort by time."""
    return f"{prefix}{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}"


def _require_room(folder: Path, database: Path) -> None:
    """Raise BadBackup where there is no space for a copy of the database, or the folder's owner may make none."""
    if not state_dir.may(database, os.W_OK):
        said = f"its owner (user {os.geteuid()}) may not use {database}"
        raise BadBackup(
            f"nothing was backed up to {folder}, as {said}: name a directory of root's, or of that file's owner"
        )
    log = database.with_name(f"{database.name}-wal")
    require_space(folder, sum(each.stat().st_size for each in (database, log) if each.exists()))


def require_space(folder: Path, needed: int) -> None:
    """Raise BadBackup where a file of this size would leave the disk full."""
    if (free := shutil.disk_usage(folder).free) < (needed := needed + _SPARE_BYTES):
        said = f"{needed // 10**6} MB are needed, {free // 10**6} MB are free"
        raise BadBackup(f"{folder} has too little space, {said}: make space, or name another directory")


def in_words(failure: Exception, place: Path) -> str:
    """Return why nothing could be written at a place, and what to type."""
    if disk := state_dir.fault_of_disk(place):
        return disk
    if isinstance(failure, FileExistsError | NotADirectoryError):
        return f"{failure.filename} is not a directory: name another place"
    if isinstance(failure, PermissionError) and failure.errno == errno.EACCES:
        return state_dir.remedy(place)
    return str(failure)


def _described(place: Path, files: Sequence[str], keys: Sequence[bytes], now: int) -> Manifest:
    with _opened(place / DATABASE) as connection:
        revision, oldest = _identity(connection, place / DATABASE)
    rest = online_copy.pacing()
    found = {name: manifest.described(place / name, rest) for name in files}
    return Manifest(RELEASE, revision, oldest, now, found, tuple(map(manifest.fingerprint, keys)))


@contextmanager
def _opened(database: Path) -> Iterator[Any]:
    with closing(sqlite.DRIVER.connect(f"file:{quote(str(database.absolute()))}{_IMMUTABLE}", uri=True)) as connection:
        yield connection


def _tables(connection: Any) -> set[str]:  # noqa: ANN401 - the driver has no types
    named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return {name for (name,) in connection.execute(named)}


def _identity(connection: Any, database: Path) -> tuple[str, str]:  # noqa: ANN401
    """Return the revision of the tables, and the oldest release that may use them. Raises BadBackup."""
    if not _tables(connection) >= TABLES:
        raise BadBackup(f"{database} is a database of another program")
    (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    oldest = connection.execute("SELECT value FROM schema_info WHERE name = 'oldest_release'").fetchone() or ("",)
    try:
        require_release(revision, oldest[0])
    except SchemaFault as fault:
        raise BadBackup(f"{database}: {fault}") from fault
    return str(revision), str(oldest[0])


@contextmanager
def _unfinished(folder: Path, name: str) -> Iterator[Path]:
    """Yield a new directory, which gets its name when the block ends well, and goes otherwise."""
    if (folder / name).exists():
        raise BadBackup(f"{folder / name} exists already: wait a second")
    _remove_unfinished(folder)
    place = folder / f".{name}{_UNFINISHED}"
    try:
        place.mkdir(mode=0o700)
    except FileExistsError:
        raise BadBackup(f"another backup began in {folder} in this second: wait until it has ended") from None
    try:
        with locked(place):
            yield place
            for path in (*place.rglob("*"), place):
                path.chmod(0o700 if path.is_dir() else 0o600)
                state_dir.sync(path)
            place.rename(folder / name)
        state_dir.sync(folder)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _remove_unfinished(folder: Path) -> None:
    """Remove what processes left that were killed: nothing holds it."""
    for left in folder.glob(f".vestibule-*{_UNFINISHED}"):
        with suppress(BlockingIOError), locked(left):
            shutil.rmtree(left)
