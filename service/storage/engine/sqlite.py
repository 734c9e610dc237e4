"""SQLite: one file, private to its owner, that several processes and threads use at once.

Write-ahead logging only where the library is 3.51.3 or later: earlier ones can lose commits in it
(https://sqlite.org/wal.html#walresetbug). Never memory-mapped, for the same reason.
"""

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from time import monotonic
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from service import state_dir
from service.storage.engine.directory_lock import DirectoryInUse
from service.storage.engine.statement import Row, Statement

try:
    from pysqlite3 import dbapi2 as newer
except ImportError:  # no wheel for this platform
    newer = sqlite3

DRIVER: Any = newer
_T = TypeVar("_T")
SAFE_WAL: Final = (3, 51, 3)
BUSY_SECONDS: Final = 0.8  # for everything before a commit: the turn in this process, then the file's lock
COMMIT_SECONDS: Final = 0.2  # at least; more when less was waited before
# The library's own waiting grows to steps of 100 ms, in which some writers starve: it gets a small step, and
# `_retry_while_busy` begins again. Only a commit cannot begin again; with a rollback journal it waits for readers.
_STEP: Final = "PRAGMA busy_timeout = 5"
_WHOLE: Final = "PRAGMA busy_timeout = 800"
_WAL_BYTES: Final = 16 * 1024 * 1024
FILE_CHECK_SECONDS: Final = 1.0
RESTORED: Final = "a backup is being restored"
_OF_THE_DISK: Final = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
REPLACED: Final = "the file was deleted or replaced at this moment"


def journal_mode() -> str:
    """Return the journal mode that is safe with the library in use: `wal`, or `truncate`.

    A truncated journal is synced at the end of a commit; a deleted one would need the directory synced too.
    """
    return "wal" if DRIVER.sqlite_version_info >= SAFE_WAL else "truncate"


File = tuple[int, int]


class _Connection(newer.Connection):  # type: ignore[misc] # the driver has no types
    """A connection that knows which file (device, inode) it opened."""

    file: File | None


class Sqlite:
    """One file. It is never made here: a missing file is a failure, not an empty database.

    Within a second the connections to a file that was deleted or replaced are closed: what they write would be lost.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._path = str(path)
        self._uri = address_of(path)
        self._durable = durable
        self._writing = threading.Lock()
        self._idle: deque[_Connection] = deque()  # the one pool: no thread has more than two connections
        self._file: File | None = None
        self._file_checked_at = -FILE_CHECK_SECONDS
        self._directory = DirectoryInUse(self._path)
        self.failures: tuple[type[Exception], ...] = (DRIVER.Error, sa.exc.DBAPIError)
        # SQLAlchemy is lent connections: what it takes for opening and closing is taking and giving back.
        self.sqlalchemy = sa.create_engine(
            "sqlite://", module=DRIVER, creator=self._take, poolclass=NullPool, hide_parameters=True
        )
        self.sqlalchemy.dialect.do_close = self._give_back  # type: ignore[method-assign,assignment]
        sa.event.listen(self.sqlalchemy, "begin", self._begin)

    def run(self, statement: Statement, values: dict[str, Any]) -> list[Row]:
        text, parameters = statement.bound(self.sqlalchemy.dialect, values)
        deadline = monotonic() + BUSY_SECONDS
        with nullcontext() if statement.only_reads else self._write_lock(deadline):
            connection = self._take()
            try:
                return self._retry_while_busy(lambda: connection.execute(text, parameters).fetchall(), deadline)
            finally:
                self._give_back(connection)

    def run_on(self, connection: sa.Connection, statement: Statement, values: dict[str, Any]) -> list[Row]:
        text, parameters = statement.bound(self.sqlalchemy.dialect, values)
        return cast("sqlite3.Connection", connection.connection.dbapi_connection).execute(text, parameters).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        deadline = monotonic() + BUSY_SECONDS
        with self._write_lock(deadline), self.sqlalchemy.execution_options(deadline=deadline).begin() as connection:
            yield connection

    @contextmanager
    def wholesale(self) -> Iterator[sa.Connection]:
        """With foreign keys a table that is rebuilt takes rows of others along, and one is emptied row by row."""
        deadline = monotonic() + BUSY_SECONDS
        with self._write_lock(deadline), self.sqlalchemy.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.commit()
            connection.execution_options(deadline=deadline)
            try:
                with connection.begin():
                    yield connection
            finally:
                connection.execution_options(deadline=None)
                connection.exec_driver_sql("PRAGMA foreign_keys = ON")

    def remedy(self, failure: BaseException) -> str | None:
        """Return what is wrong with the disk; other faults are found before the file is opened (`file_checks.py`)."""
        code = getattr(failure, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
        return state_dir.fault_of_disk(Path(self._path)) if code in _OF_THE_DISK else None

    def close(self) -> None:
        self._file_checked_at = -FILE_CHECK_SECONDS
        while self._idle:
            self._idle.pop().close()
        self._directory.give_back()

    @contextmanager
    def _write_lock(self, deadline: float) -> Iterator[None]:
        """Queue the threads of this process, so that few ask for the file's lock at a time."""
        if not self._writing.acquire(timeout=max(0, deadline - monotonic())):
            raise DRIVER.OperationalError("the database file is locked by another thread of this process")
        try:
            yield
        finally:
            self._writing.release()

    def _current_file(self) -> File | None:
        """Return the file that the path names now."""
        try:
            found = os.stat(self._path)  # noqa: PTH116 - a Path would cost as much again
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _take(self) -> _Connection:
        """Take an idle connection, or open one. Once a second those to a deleted or replaced file are closed."""
        if (now := monotonic()) - self._file_checked_at >= FILE_CHECK_SECONDS:
            self._file, self._file_checked_at = self._current_file(), now
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return self._open()
            if connection.file == self._file:
                return connection
            connection.close()

    def _give_back(self, connection: _Connection) -> None:
        if connection.in_transaction or connection.file != self._file:
            connection.close()
        else:
            self._idle.append(connection)

    def _retry_while_busy(self, act: Callable[[], _T], deadline: float) -> _T:
        """Repeat `act` until no other process holds the file's lock. A refused write has changed nothing."""
        while True:
            try:
                return act()
            except DRIVER.OperationalError as failure:
                if failure.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                    raise

    def _begin(self, connection: sa.Connection) -> None:
        """Take the write lock first: a transaction that reads, then writes, can be refused at once in between."""
        deadline = connection.get_execution_options().get("deadline")
        if deadline is None:
            return
        driver_connection = cast("sqlite3.Connection", connection.connection.dbapi_connection)
        driver_connection.execute(_STEP)
        self._retry_while_busy(lambda: driver_connection.execute("BEGIN IMMEDIATE"), deadline)
        left = max(COMMIT_SECONDS, deadline - monotonic())
        driver_connection.execute(f"PRAGMA busy_timeout = {left * 1000:.0f}")

    def __del__(self) -> None:
        """Leave no connection to be closed by chance."""
        self.close()

    def _open(self) -> _Connection:
        try:
            self._directory.take()
        except OSError as failure:
            said = RESTORED if isinstance(failure, BlockingIOError) else str(failure)
            raise DRIVER.OperationalError(said) from failure
        file = self._current_file()
        connection: _Connection = DRIVER.connect(
            self._uri,
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=64,
            factory=_Connection,
        )
        try:
            connection.file = file
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        self._file = file
        return connection

    def _set_up(self, connection: _Connection) -> None:
        if self._current_file() != connection.file:
            raise DRIVER.OperationalError(REPLACED)
        mode = journal_mode()
        connection.execute(_WHOLE)
        connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'OFF'}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
        if connection.execute(f"PRAGMA journal_mode = {mode}").fetchone() != (mode,):
            raise DRIVER.OperationalError(f"the database cannot be switched to journal mode {mode}")
        connection.execute(_STEP)


def address_of(path: Path) -> str:
    """Return the file as the library opens it when it must not make it."""
    return f"file:{quote(str(path))}?mode=rw"


def is_busy(failure: BaseException | None) -> bool:
    """Whether another connection holds a lock that the statement needed."""
    code = getattr(getattr(failure, "orig", None) or failure, "sqlite_errorcode", 0)
    return bool(code & 0xFF == sqlite3.SQLITE_BUSY)


def is_damage(failure: BaseException | None) -> bool:
    """Whether the library says that the file itself is bad (SQLITE_CORRUPT, SQLITE_NOTADB)."""
    said = str(getattr(failure, "orig", None) or failure)
    return "malformed" in said or "not a database" in said
