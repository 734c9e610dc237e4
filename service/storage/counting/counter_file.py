"""The counters' and attempts' own SQLite file: not synced, made by code, and thrown away when it is damaged."""

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from service.services import Unavailable
from service.storage import private
from service.storage.engine.database import Database, Row, Statement
from service.storage.upkeep import file_checks

_T = TypeVar("_T")
_TABLES: Final = (
    "CREATE TABLE counters (key TEXT PRIMARY KEY, hits INTEGER NOT NULL, expires_at REAL NOT NULL) WITHOUT ROWID",
    "CREATE INDEX ix_counters_expires_at ON counters (expires_at)",
    (
        "CREATE TABLE attempts (id TEXT PRIMARY KEY, at INTEGER NOT NULL, account TEXT NOT NULL, username TEXT, "
        "network TEXT NOT NULL, device TEXT) WITHOUT ROWID"
    ),
    "CREATE INDEX ix_attempts_at ON attempts (at)",
    "CREATE INDEX attempts_by_account ON attempts (account, at)",
    "CREATE INDEX attempts_by_network ON attempts (network, at)",
)
_CHECK: Final = Statement(sa.text("PRAGMA quick_check(1)"))
_LOOKS: Final = (
    Statement(sa.text("SELECT key, hits, expires_at FROM counters LIMIT 1")),
    Statement(sa.text("SELECT id, at, account, username, network, device FROM attempts LIMIT 1")),
)
_log: Final = logging.getLogger(__name__)


class CounterFile:
    """One file for all processes. When it is gone or was replaced, everybody goes on with the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: tuple[int, int] | None = None
        self._database = _unsynced(path)

    def run(self, statement: Statement, **values: Any) -> list[Row]:
        """Run one statement by itself; its rows. Raises Unavailable."""
        return self._with(lambda database: database.run(statement, **values))

    def within(self, work: Callable[[Database], _T]) -> _T:
        """Do something in one transaction, which nobody else writes between. Raises Unavailable."""
        return self._with(lambda database: database.within(work))

    def close(self) -> None:
        """Close this process's connections."""
        self._database.close()

    def _with(self, act: Callable[[Database], _T]) -> _T:
        """Act on the file that has the name now; once more when it turned out to be of no use, or was replaced."""
        database = self._current()
        try:
            return act(database)
        except Unavailable as fault:
            if _is_of_no_use(fault):
                self._replace(fault)
            elif self._identity() == self._file:
                raise
        return act(self._current())

    def _current(self) -> Database:
        """Return the database in the file that has the name now; a connection to another would count apart."""
        found = self._identity()
        if found is None:
            with file_checks.alone(self._path):
                self._make()
            found = self._identity()
        if found != self._file:
            # Another thread may still use the one before: it is let go of, not closed under its hands.
            self._database, self._file = _unsynced(self._path), found
        return self._database

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise Unavailable(f"the counters: {fault.strerror}") from fault
        return found.st_dev, found.st_ino

    def _make(self) -> None:
        """Make the file under another name: whoever finds it finds it whole."""
        if self._path.exists():
            return
        unfinished = self._path.with_suffix(".unfinished")
        try:
            self._forget()
            unfinished.unlink(missing_ok=True)
            private.make_file(unfinished)
            fresh = _unsynced(unfinished)
            for table in _TABLES:
                fresh.run(Statement(sa.text(table)))
            fresh.close()
            unfinished.replace(self._path)
        except OSError as fault:
            raise Unavailable(f"the counters: {fault.strerror}") from fault

    def _is_sound(self) -> bool:
        look = _unsynced(self._path)
        try:
            for table in _LOOKS:
                look.run(table)
            return look.run(_CHECK) == [("ok",)]
        except Unavailable as fault:
            if _is_of_no_use(fault):
                return False
            raise
        finally:
            look.close()

    def _forget(self) -> None:
        """Remove the file, and before it the logs: they would be taken for those of the next one."""
        for ending in ("-wal", "-shm", "-journal", ""):
            self._path.with_name(self._path.name + ending).unlink(missing_ok=True)

    def _replace(self, fault: Unavailable) -> None:
        with file_checks.alone(self._path):
            # Somebody else may have done it: a number that the system gives out again proves nothing.
            if self._is_sound():
                self._file = None
                return
            _log.error("%s is of no use (%s): replaced by an empty one, limits start anew", self._path, fault)
            self._forget()
            self._make()


def _unsynced(path: Path) -> Database:
    return Database(f"sqlite:///{path}", durable=False)


def _is_of_no_use(fault: Unavailable) -> bool:
    """Whether the file is damaged, or holds something other than our table."""
    cause = fault.__cause__
    return file_checks.is_damage(cause) or getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
