"""What the stores say at one moment, for `vestibule status`. It migrates nothing, and makes no database."""

import os
import time
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from service.login.attempts import Scope, Throttles
from service.services import Unavailable
from service.services.store_state import Answer, StoreState, Tables
from service.storage.accounts import accounts
from service.storage.audit import SqlAudit, audit
from service.storage.blocks import SqlBlocks, blocks
from service.storage.counting.choose import choose
from service.storage.counting.redis_connection import failures_of, redis_storage
from service.storage.counting.redis_faults import in_words
from service.storage.counting.sql_attempts import attempts
from service.storage.engine import sqlite
from service.storage.engine.database import Database, SchemaFault
from service.storage.sessions import sessions
from service.storage.upkeep import file_locks, last_backup, schema, server_locks
from service.storage.upkeep.file_checks import DatabaseFile
from service.storage.upkeep.revision import revision_of, schema_info

_DAY: Final = 24 * 60 * 60
_TABLES: Final = [table.name for table in (accounts, sessions, audit, attempts, blocks, schema_info)]


def read(database: Database, *, redis: str | None, backups: Path, throttles: Throttles, now: int) -> StoreState:
    """Return what can be read. A store that cannot be used says why in its `Answer`."""
    name = f"SQLite {sqlite.DRIVER.sqlite_version}, journal {database.journal_mode}" if database.path else "PostgreSQL"
    counters = _redis(redis) if redis else Answer(_in_sql(database))
    found: dict[str, Any] = {"database": Answer(name), "counters": counters}
    try:
        if database.path and _is_first_start(DatabaseFile(database.path, backups)):
            found["is_first_start"] = True
            raise SchemaFault(f"none yet: the first start of the service makes {database.path}")
        if database.path and not os.access(database.path, os.R_OK | os.W_OK):  # SQLite would read it all the same
            raise SchemaFault(f"{database.path} cannot be read and written by user {os.geteuid()}")
        found["tables"] = tables = _tables(database, backups)
        found["database"] = answer = _answer(database, name)
        if not tables.are_pending:
            found |= _rows(database, now)
            if database.path is None and not answer.fault:
                server_locks.test_writes(database, _TABLES)
            found |= _attempts(database, None if counters.fault else redis, throttles, now)
    except Unavailable as away:
        if not found["database"].fault:
            found["database"] = replace(found["database"], fault=_why(database, away))
    except OSError as refused:
        found["database"] = Answer(name, fault=f"{refused.filename} cannot be reached ({refused.strerror})")
    finally:
        database.close()
    return StoreState(**found)


def _in_sql(database: Database) -> str:
    return "SQLite, in a file of their own" if database.path else "PostgreSQL"


def _redis(address: str) -> Answer:
    """Ask Redis to count, as a sign-in does: one that is full, or a replica, still answers a ping."""
    storage = redis_storage(address)
    with closing(storage.storage):
        try:
            storage.incr("probe", 1)
            began = time.perf_counter()
            storage.incr("probe", 1)
        except failures_of(storage) as failure:
            return Answer("Redis", fault=f"{in_words(failure)}; limits are counted in SQL")
        return Answer("Redis", time.perf_counter() - began)


def _is_first_start(file: DatabaseFile) -> bool:
    if file.path.exists() and file.path.stat().st_size:
        return False
    file.refuse_a_loss()
    return True


def _tables(database: Database, backups: Path) -> Tables:
    """Look at an SQLite file with the journal that it has: it may be another program's."""
    look = DatabaseFile(database.path, backups).opened() if database.path else database.reading()
    with look as connection:
        tables = Tables(revision_of(connection), schema.HEAD)
        if tables.are_pending:
            return tables
        info = schema_info.c
        oldest = connection.scalar(sa.select(info.value).where(info.name == "oldest_release"))
        return replace(tables, oldest_release=oldest)


def _answer(database: Database, name: str) -> Answer:
    """Return how long one statement takes. What only reads, or is locked, is a fault: no sign-in can be written."""
    if database.path:
        try:
            began = time.perf_counter()
            with database.transaction() as connection:
                connection.exec_driver_sql("PRAGMA schema_version").all()
        except Unavailable as away:
            return Answer(name, fault=_why(database, away))
        return Answer(name, time.perf_counter() - began)
    with database.reading() as connection:
        began = time.perf_counter()
        asked = "SELECT current_setting('server_version'), current_setting('transaction_read_only')"
        version, read_only = connection.exec_driver_sql(asked).one()
        taken = time.perf_counter() - began
    fault = "it takes no writes: it is a standby, or read-only" if read_only == "on" else None
    return Answer(f"{name} {version.split()[0]}", taken, fault)


def _why(database: Database, away: Unavailable) -> str:
    """Return what is wrong; where statements wait for another process or connection, for which."""
    holder = None
    with suppress(Unavailable):
        if database.path is None:
            holder = server_locks.stops_writes(database, _TABLES)
        elif sqlite.is_busy(away.__cause__):
            holder = file_locks.holders_of_database(database.path)
    return f"it takes no writes: requests wait for {holder}" if holder else str(away).removeprefix("the database: ")


def _rows(database: Database, now: int) -> dict[str, Any]:
    trail = SqlAudit(database, kept_seconds=0)  # which only a write looks at
    return {
        "sign_ins": trail.sign_ins(until=now),
        "sign_ins_day_before": trail.sign_ins(until=now - _DAY),
        "blocked": len(SqlBlocks(database).all(now=now)),
        "last_backup": last_backup.read(database),
    }


def _attempts(database: Database, redis: str | None, throttles: Throttles, now: int) -> dict[str, Any]:
    chosen = choose(database, redis=redis)
    scopes = {"networks": Scope.NETWORK, "accounts": Scope.ACCOUNT}
    try:
        return {
            name: tuple(chosen.attempts.tallies(by=scope, since=now - throttles[scope].seconds))
            for name, scope in scopes.items()
        }
    except Unavailable as away:
        if database.path is None:  # whose own line says so
            raise
        return {"counters": Answer(_in_sql(database), fault=str(away))}
    finally:
        if redis:
            chosen.options["redis"].storage.close()
