"""Checks before an SQLite file is opened; each message says what to type.

A marker file in the state directory (`database.made`) names the file that was made: when that file is missing or
empty later, a volume was not mounted or the file was deleted, and a new empty database would hide the loss.
See docs/decisions/0007-a-lost-database-is-not-a-new-one.md.
"""

import errno
import fcntl
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from service import state_dir
from service.as_owner import as_owner_of
from service.services import Unavailable
from service.storage.engine import sqlite
from service.storage.engine.database import SchemaFault
from service.storage.upkeep import file_locks
from service.storage.upkeep.lock_wait import WAIT_SECONDS, Blocked, LockWait

OLDEST_LIBRARY: Final = (3, 35)


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """The file of an SQLite database, and the directory of its copies, which lies in the state directory."""

    path: Path
    backups: Path

    @property
    def marker(self) -> Path:
        """The file `database.made`, which names the database file that was made."""
        return self.backups.parent / "database.made"

    def was_made(self) -> bool:
        return self.marker.is_file() and self.marker.read_text().strip() == str(self.path)

    def mark_made(self) -> None:
        """Write the marker. Raises SchemaFault."""
        if self.was_made():
            return
        try:
            with as_owner_of(self.marker.parent) as directory:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                marker = directory / self.marker.name
                marker.unlink(missing_ok=True)
                state_dir.make_file(marker)
                marker.write_text(f"{self.path}\n")
        except OSError as fault:
            raise SchemaFault(_no_access(fault, self.marker)) from fault

    def before_opening(self) -> None:
        """Make the file when this is a first start. Raises SchemaFault when it is not, or the file cannot be used."""
        if sqlite.DRIVER.sqlite_version_info < OLDEST_LIBRARY:
            raise SchemaFault(f"SQLite {sqlite.DRIVER.sqlite_version} is too old: install a Python with 3.35 or later")
        try:
            if fault := state_dir.fault_of_database(self.path, self.backups.parent):
                raise SchemaFault(fault)
            if not self.path.exists() or self.path.stat().st_size == 0:
                self.refuse_a_loss()
            if not self.path.exists():
                state_dir.make_file(self.path)
            os.close(os.open(self.path, os.O_RDWR | os.O_CLOEXEC))
        except OSError as failure:
            raise SchemaFault(_no_access(failure, self.path)) from failure
        if not os.access(self.path.parent, os.W_OK | os.X_OK):
            raise SchemaFault(_no_access(PermissionError("its journal could not be written"), self.path.parent))

    def refuse_a_loss(self) -> None:
        """Raise SchemaFault when a marker or a log shows that the database, now empty, had content."""
        log = self.path.with_name(self.path.name + "-wal")
        unmerged = log.exists() and log.stat().st_size > 0
        if not (self.was_made() or unmerged):
            return
        copies = sorted(map(str, self.backups.glob("*.sqlite3")))
        last = f"the last copy is {copies[-1]}" if copies else f"there is no copy in {self.backups}"
        raise SchemaFault(
            f"{self.path} is missing or empty, but there was a database: mount its volume or restore it ({last}). "
            f"To begin with an empty one: rm -f {shlex.quote(str(self.marker))} {shlex.quote(str(log))}"
        )

    @contextmanager
    def opened(self) -> Iterator[sa.Connection]:
        """Open the file with the journal that it has, so that another program's file is not changed.

        Damage, and each SchemaFault of the block, is raised as SchemaFault; a lock of another process as Blocked; other
        failures as Unavailable.
        """
        engine = sa.create_engine(
            "sqlite://",
            module=sqlite.DRIVER,
            creator=lambda: sqlite.DRIVER.connect(sqlite.address_of(self.path), uri=True, isolation_level=None),
            poolclass=sa.pool.NullPool,
        )
        try:
            with engine.connect() as connection:
                yield connection
        except SchemaFault as fault:
            raise SchemaFault(f"{self.path}: {fault}") from fault
        except sa.exc.DBAPIError as failure:
            if sqlite.is_busy(failure):
                raise Blocked(file_locks.holders_of_database(self.path)) from failure
            if not sqlite.is_damage(failure):
                said = state_dir.fault_of_disk(self.path) or f"{self.path}: {failure.orig}"
                raise Unavailable(said) from failure
            said = f"is damaged, or no SQLite database ({failure.orig}): stop the service and restore a copy from"
            raise SchemaFault(f"{self.path} {said} {self.backups}") from failure


@contextmanager
def exclusively(database: Path, wait: LockWait | None = None) -> Iterator[None]:
    """Let one process at a time make or change the database; the others wait. Raises SchemaFault, Unavailable."""
    lock = database.with_name(database.name + ".lock")
    try:
        state_dir.make_folder(lock.parent)
        with suppress(FileExistsError):
            state_dir.make_file(lock)
        handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError as fault:
        raise SchemaFault(_no_access(fault, lock.parent)) from fault
    try:
        (wait or LockWait(WAIT_SECONDS)).until_done(lambda: _lock(handle, lock))
        yield
    finally:
        os.close(handle)


def _lock(handle: int, lock: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Blocked(file_locks.holders(lock)) from None


def _no_access(fault: OSError, path: Path) -> str:
    """Say which file, which user, and what to type."""
    if fault.errno in state_dir.OF_THE_DISK and (disk := state_dir.fault_of_disk(path)):
        return disk
    if fault.errno == errno.EPERM:  # a link of another user
        return f"{fault.filename}: {fault.strerror}"
    remedy = f": {state_dir.way_in(path)}" if isinstance(fault, PermissionError) else ""
    return f"{path} cannot be read and written by user {os.geteuid()} ({fault.strerror or fault}){remedy}"
