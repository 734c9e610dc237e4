"""The counters' and attempts' own SQLite file: not synced, made by code, and thrown away when it is damaged."""

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from service import state_dir
from service.services import Unavailable
from service.storage.counting.sql_attempts import attempts
from service.storage.counting.sql_counters import counters
from service.storage.engine.database import Database
from service.storage.engine.sqlite import REPLACED, is_damage
from service.storage.engine.statement import Row, Statement
from service.storage.upkeep import file_checks

_T = TypeVar("_T")
_TABLES: Final = (counters, attempts)
_CHECKS: Final = (
    *(Statement(sa.select(table).limit(1)) for table in _TABLES),
    Statement(sa.text("PRAGMA quick_check(1)")),
)
_LOST: Final = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CANTOPEN}
_log: Final = logging.getLogger(__name__)


class CounterFile:
    """One file for all processes. When it is gone or damaged, one of them makes it anew, and all go on with that."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = _unsynced(path)

    def run(self, statement: Statement, **values: Any) -> list[Row]:
        return self._with(lambda database: database.run(statement, **values))

    def within(self, work: Callable[[Database], _T]) -> _T:
        return self._with(lambda database: database.within(work))

    def close(self) -> None:
        self._database.close()

    def _with(self, act: Callable[[Database], _T]) -> _T:
        """Act on the file; once more after it was made."""
        try:
            return act(self._database)
        except Unavailable as fault:
            if not _is_lost_or_damaged(fault):
                raise
            self._replace_if_damaged(fault)
        return act(self._database)

    def _replace_if_damaged(self, fault: Unavailable) -> None:
        """Make the file anew unless another process has done so meanwhile."""
        with file_checks.exclusively(self._path):
            if not self._path.exists():
                self._make()
            elif not self._is_sound():
                _log.error(
                    "%s cannot be read (%s): an empty file takes its place, and limits start anew", self._path, fault
                )
                self._make()
        self._database.close()

    def _make(self) -> None:
        """Make the file under another name: a process that finds it finds it whole."""
        unfinished = self._path.with_suffix(".unfinished")
        try:
            self._forget()
            unfinished.unlink(missing_ok=True)
            state_dir.make_file(unfinished)
            fresh = _unsynced(unfinished)
            with fresh.transaction() as connection:
                for table in _TABLES:
                    table.create(connection)
            fresh.close()
            unfinished.replace(self._path)
        except OSError as fault:
            raise Unavailable(f"the counters: {fault.strerror}") from fault

    def _is_sound(self) -> bool:
        look = _unsynced(self._path)
        try:
            *_, whole = [look.run(check) for check in _CHECKS]
        except Unavailable as fault:
            if _is_lost_or_damaged(fault):
                return False
            raise
        else:
            return whole == [("ok",)]
        finally:
            look.close()

    def _forget(self) -> None:
        """Remove the file, and before it the logs: they would be taken for those of the next one."""
        for ending in ("-wal", "-shm", "-journal", ""):
            self._path.with_name(self._path.name + ending).unlink(missing_ok=True)


def _unsynced(path: Path) -> Database:
    return Database(f"sqlite:///{path}", durable=False)


def _is_lost_or_damaged(fault: Unavailable) -> bool:
    """Whether the file may be missing, damaged, or without these tables."""
    cause = getattr(fault.__cause__, "orig", None) or fault.__cause__
    code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return is_damage(cause) or code & 0xFF in _LOST or REPLACED in str(fault)
