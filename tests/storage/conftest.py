"""Databases for tests: fresh ones, with tables, on each engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.storage import schema, sqlite
from service.storage.database import Database
from tests.rig.memory_store import MemoryAccounts, MemoryLinks, MemorySessions, Rows
from tests.rig.postgres import Postgres, name_of, postgres
from tests.rig.redis import redis_server
from tests.storage.stores import NOW, Stores, over

__all__ = ["postgres", "redis_server"]

# `sqlite-journal`: the rollback journal that a library without safe write-ahead logging gets.
SQL = ["sqlite", "sqlite-journal", "postgresql"]


@pytest.fixture(scope="session")
def postgres_with_tables(postgres: Postgres) -> str:
    """Return the name of a database with tables, to be copied."""
    address = postgres.new_database()
    template = Database(address)
    schema.upgrade(template)
    template.close()
    return name_of(address)


@pytest.fixture
def postgresql(postgres: Postgres, postgres_with_tables: str) -> Iterator[Database]:
    """A PostgreSQL database with our tables and no rows."""
    address = postgres.new_database(template=postgres_with_tables)
    database = Database(address)
    yield database
    database.close()
    postgres.drop(address)


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Iterator[Database]:
    """An SQLite database with our tables and no rows."""
    database = Database(f"sqlite:///{tmp_path / 'vestibule.sqlite3'}")
    schema.prepare(database, backups=tmp_path / "backups", now=NOW)
    yield database
    database.close()


@pytest.fixture(params=SQL)
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database with our tables and no rows, on each engine in turn."""
    if request.param == "sqlite-journal":
        without_wal(monkeypatch)
    database: Database = request.getfixturevalue("postgresql" if request.param == "postgresql" else "sqlite_file")
    return database


@pytest.fixture(params=["sqlite", "sqlite-journal"])
def file_database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Database:
    """An SQLite database with our tables and no rows, with either journal."""
    if request.param == "sqlite-journal":
        without_wal(monkeypatch)
    database: Database = request.getfixturevalue("sqlite_file")
    return database


@pytest.fixture(params=["memory", *SQL])
def stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """Every implementation of the ports in turn: the tests' own in memory, and the SQL one on each engine."""
    if request.param == "memory":
        rows = Rows()
        return Stores(MemoryAccounts(rows), MemorySessions(rows), MemoryLinks(rows), rows.transaction)
    if request.param == "sqlite-journal":
        without_wal(monkeypatch)
    return over(request.getfixturevalue("postgresql" if request.param == "postgresql" else "sqlite_file"))


def without_wal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let SQLite, here and in child processes, be one whose write-ahead log is not safe."""
    monkeypatch.setattr(sqlite, "SAFE_WAL", (99,))
    monkeypatch.setenv("JOURNAL", "1")
