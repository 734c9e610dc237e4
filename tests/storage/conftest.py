"""Databases for tests: fresh ones, with tables, on each engine."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.login.attempts import Attempts
from service.storage.counting import redis_connection, sql_attempts
from service.storage.counting.circuit_breaker import CircuitBreaker
from service.storage.counting.counter_file import CounterFile
from service.storage.counting.redis_attempts import FallbackAttempts, RedisAttempts
from service.storage.counting.redis_connection import redis_storage
from service.storage.counting.sql_attempts import SqlAttempts
from service.storage.engine import sqlite
from service.storage.engine.database import Database
from service.storage.upkeep import schema
from tests.rig.memory_attempts import MemoryAttempts
from tests.rig.memory_store import MemoryAccounts, MemoryAppPasswords, MemoryLinks, MemorySessions, Rows
from tests.rig.pgbouncer import PgBouncer, pgbouncer
from tests.rig.postgres import Postgres, postgres
from tests.rig.redis import Redis, redis_server
from tests.rig.until import until
from tests.storage.place import later_release, place, upgrade_server
from tests.storage.stores import NOW, Stores, over

__all__ = ["later_release", "pgbouncer", "place", "postgres", "redis_server"]

# `sqlite-journal`: the rollback journal that a library without safe write-ahead logging gets.
_MEMORY = Path("/dev/shm")  # noqa: S108 - a private directory in it
SQL = ["sqlite", "sqlite-journal", "postgresql", "pgbouncer"]


@pytest.fixture(scope="session")
def shared_postgresql(postgres: Postgres) -> Iterator[Database]:
    """A PostgreSQL database with our tables."""
    database = Database(postgres.new_database())
    upgrade_server(database)
    yield database
    database.close()


@pytest.fixture
def postgresql(shared_postgresql: Database) -> Database:
    """A PostgreSQL database with our tables and no rows. Its tables stay as they are."""
    return emptied(shared_postgresql)


@pytest.fixture(scope="session")
def shared_pooled(postgres: Postgres, pgbouncer: PgBouncer) -> Iterator[Database]:
    """A PostgreSQL database with our tables, reached through PgBouncer in transaction mode."""
    database = Database(pgbouncer.to(postgres.new_database()))
    upgrade_server(database)
    yield database
    database.close()


@pytest.fixture
def pooled(shared_pooled: Database) -> Database:
    """A PostgreSQL database with our tables and no rows, reached through PgBouncer in transaction mode."""
    return emptied(shared_pooled)


def emptied(database: Database) -> Database:
    """Wait until a PostgreSQL database answers, and remove all rows."""
    until(database.ping, "PostgreSQL answers")
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "TRUNCATE accounts, account_groups, sessions, links, app_passwords, counters, attempts, blocks"
        )
        connection.exec_driver_sql("DELETE FROM audit")
        connection.exec_driver_sql("DELETE FROM schema_info WHERE name = 'last_backup'")
    return database


@pytest.fixture
def own_postgresql(postgres: Postgres) -> Iterator[Database]:
    """A PostgreSQL database with our tables and no rows, to do anything to."""
    database = Database(address := postgres.new_database())
    upgrade_server(database)
    yield database
    database.close()
    postgres.drop(address)


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory where the system has one: what these tests promise does not depend on the disk's speed."""
    if not _MEMORY.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="vestibule-", dir=_MEMORY) as place:
        yield Path(place)


@pytest.fixture
def sqlite_file(memory_path: Path) -> Iterator[Database]:
    """An SQLite database with our tables and no rows."""
    database = Database(f"sqlite:///{memory_path / 'vestibule.sqlite3'}")
    schema.prepare(database, backups=memory_path / "backups", now=NOW)
    yield database
    database.close()


@pytest.fixture(params=SQL)
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database with our tables and no rows, on each engine in turn."""
    return of_engine(request, monkeypatch)


def of_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Return a database with our tables and no rows on the engine that the parameter names."""
    if request.param == "sqlite-journal":
        without_wal(monkeypatch)
    fixture = {"postgresql": "postgresql", "pgbouncer": "pooled"}.get(request.param, "sqlite_file")
    database: Database = request.getfixturevalue(fixture)
    return database


@pytest.fixture(params=["sqlite", "sqlite-journal"])
def file_database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Database:
    """An SQLite database with our tables and no rows, with either journal."""
    return of_engine(request, monkeypatch)


@pytest.fixture(params=["memory", *SQL])
def stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """Every implementation of the ports in turn: the tests' own in memory, and the SQL one on each engine."""
    if request.param == "memory":
        rows = Rows()
        memory = MemoryAccounts(rows), MemorySessions(rows), MemoryLinks(rows), MemoryAppPasswords(rows)
        return Stores(*memory, rows.transaction)
    return over(of_engine(request, monkeypatch))


@pytest.fixture
def redis(redis_server: Redis) -> Iterator[Redis]:
    """A Redis without keys that is running again afterwards."""
    redis_server.clear()
    yield redis_server
    redis_server.stop()
    redis_server.start()


@pytest.fixture
def redis_with_long_timeout(redis_server: Redis, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a Redis without keys, waited for however busy this machine is."""
    redis_server.clear()
    monkeypatch.setattr(redis_connection, "TIMEOUT_SECONDS", 10.0)
    return redis_server.address


@pytest.fixture
def counter_file(memory_path: Path) -> Iterator[CounterFile]:
    """The counters' file, not made yet."""
    file = CounterFile(memory_path / "counters.sqlite3")
    yield file
    file.close()


@pytest.fixture(params=["memory", *SQL, "redis", "redis-before-sql"])
def attempts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Attempts:
    """Every implementation of the port in turn, with nothing in it; waited for however busy this machine is."""
    monkeypatch.setattr(sql_attempts, "SLOT_SECONDS", 30.0)
    if request.param == "memory":
        return MemoryAttempts(Rows())
    if request.param == "redis":
        return RedisAttempts(redis_storage(request.getfixturevalue("redis_with_long_timeout")))
    if request.param in {"postgresql", "pgbouncer"}:
        return SqlAttempts(of_engine(request, monkeypatch))
    if request.param == "sqlite-journal":
        without_wal(monkeypatch)
    in_sql = SqlAttempts(request.getfixturevalue("counter_file"))
    if request.param == "redis-before-sql":
        in_redis = RedisAttempts(redis_storage(request.getfixturevalue("redis_with_long_timeout")))
        return FallbackAttempts(in_redis, in_sql, CircuitBreaker(in_redis.answers, in_redis.failures))
    return in_sql


def without_wal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let SQLite, here and in child processes, be one whose write-ahead log is not safe."""
    monkeypatch.setattr(sqlite, "SAFE_WAL", (99,))
