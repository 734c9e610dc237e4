"""What must hold before an SQLite file is opened, in words that say what to type.

The state directory remembers which file was made (`database.made`): when that file is missing or empty
later, a volume was not mounted or somebody deleted it, and a new empty database would hide the loss.
See docs/decisions/0007-a-lost-database-is-not-a-new-one.md.
"""

import fcntl
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from service.services import Unavailable
from service.storage import private
from service.storage.engine import sqlite
from service.storage.engine.database import SchemaFault

OLDEST_LIBRARY: Final = (3, 35)
CHECKED_WHOLE_BYTES: Final = 32 * 1024 * 1024


class Note:
    """The state directory's memory of the file that was made."""

    def __init__(self, note: Path, database: Path) -> None:
        self.path = note
        self._database = str(database)

    def names_it(self) -> bool:
        """Whether this very file was made once."""
        return self.path.is_file() and self.path.read_text().strip() == self._database

    def write(self) -> None:
        """Remember the file. Raises SchemaFault when that cannot be written down."""
        if self.names_it():
            return
        try:
            private.make_folder(self.path.parent)
            self.path.unlink(missing_ok=True)
            private.make_file(self.path)
            self.path.write_text(self._database + "\n")
        except OSError as fault:
            raise SchemaFault(_no_access(fault, self.path)) from fault


@contextmanager
def alone(database: Path) -> Iterator[None]:
    """Let one process at a time make or change the database; the others wait."""
    lock = database.with_name(database.name + ".lock")
    handle = _opened(lock)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _opened(lock: Path) -> int:
    try:
        private.make_folder(lock.parent)
        if not lock.exists():
            _made_by_anybody(lock)
        return os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError as fault:
        raise SchemaFault(_no_access(fault, lock.parent)) from fault


def _made_by_anybody(lock: Path) -> None:
    try:
        private.make_file(lock)
    except FileExistsError:
        return


def before_opening(database: Path, note: Note, backups: Path) -> None:
    """Make the file when this is a first start. Raises SchemaFault when it is not, or when it cannot be used."""
    if sqlite.DRIVER.sqlite_version_info < OLDEST_LIBRARY:
        raise SchemaFault(
            f"this Python's SQLite is {sqlite.DRIVER.sqlite_version}; 3.35 or later is needed (RETURNING)"
        )
    try:
        if not database.exists() or database.stat().st_size == 0:
            refuse_a_loss(database, note, backups)
        if not database.exists():
            private.make_file(database)
        os.close(os.open(database, os.O_RDWR | os.O_CLOEXEC))
    except OSError as fault:
        raise SchemaFault(_no_access(fault, database)) from fault
    if not os.access(database.parent, os.W_OK | os.X_OK):
        raise SchemaFault(_no_access(PermissionError("its journal could not be written"), database.parent))


def refuse_a_loss(database: Path, note: Note, backups: Path) -> None:
    """Raise SchemaFault when there are signs that the database, now empty, once was not."""
    log = database.with_name(database.name + "-wal")
    unmerged = log.exists() and log.stat().st_size > 0
    if not (note.names_it() or unmerged):
        return
    copies = sorted(map(str, backups.glob("*.sqlite3")))
    last = f"the last copy is {copies[-1]}" if copies else f"there is no copy in {backups}"
    raise SchemaFault(
        f"{database} is missing or empty, but there was a database: mount its volume or restore it ({last}). "
        f"To begin with an empty one: rm -f {shlex.quote(str(note.path))} {shlex.quote(str(log))}"
    )


@contextmanager
def as_it_is(database: Path, backups: Path) -> Iterator[sa.Connection]:
    """Open the file with the journal that it has, so that one that is not ours is not changed.

    Damage and whatever the block finds wrong leave as SchemaFault, other failures as Unavailable.
    """
    engine = sa.create_engine(
        "sqlite://",
        module=sqlite.DRIVER,
        creator=lambda: sqlite.DRIVER.connect(sqlite.address_of(database), uri=True, isolation_level=None),
        poolclass=sa.pool.NullPool,
    )
    try:
        with engine.connect() as connection:
            yield connection
    except SchemaFault as fault:
        raise SchemaFault(f"{database}: {fault}") from fault
    except sa.exc.DBAPIError as fault:
        if is_damage(fault):
            raise SchemaFault(
                f"{database} is damaged, or no SQLite database ({fault.orig}); copies: {backups}"
            ) from fault
        raise Unavailable(f"{database}: {fault.orig}") from fault


def is_damage(failure: BaseException | None) -> bool:
    """Whether the library says that the file itself is bad (SQLITE_CORRUPT, SQLITE_NOTADB)."""
    said = str(getattr(failure, "orig", None) or failure)
    return "malformed" in said or "not a database" in said


def whole_if_small(connection: sa.Connection, database: Path) -> None:
    """Check every page where that takes no noticeable time. Raises SchemaFault."""
    if database.stat().st_size > CHECKED_WHOLE_BYTES:
        return
    said = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if said != "ok":
        raise SchemaFault(f"the file is damaged ({said}); restore a copy")


def _no_access(fault: OSError, path: Path) -> str:
    """Say which file, which user, and what to type."""
    user = os.geteuid()
    remedy = f": chown -R {user} {shlex.quote(str(path))}" if isinstance(fault, PermissionError) else ""
    return f"{path} cannot be read and written by user {user} ({fault.strerror or fault}){remedy}"
