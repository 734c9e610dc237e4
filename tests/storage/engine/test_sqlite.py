"""SQLite alone: its file, its journal, its locks, its indexes."""

from pathlib import Path

import pytest

from service import state_dir
from service.login.accounts import Account
from service.login.links import Purpose
from service.services import Unavailable
from service.storage import accounts, app_passwords, links, sessions
from service.storage.engine import sqlite
from service.storage.engine.database import Database
from tests.storage.children import together
from tests.storage.stores import Stores, account, address_of, is_whole, over, session


@pytest.fixture
def in_use(file_database: Database, monkeypatch: pytest.MonkeyPatch) -> tuple[Database, Stores, Account]:
    """A database with alice, and a connection that was used; the file is looked at each time, not once a second."""
    monkeypatch.setattr(sqlite, "FILE_CHECK_SECONDS", 0)
    stores = over(file_database)
    stores.accounts.add(alice := account())
    assert stores.accounts.by_id(alice.id)
    assert file_database.ping()
    return file_database, stores, alice


def take_away(database: Database) -> Path:
    """Move the file, with its log, to another name; return that."""
    assert database.path
    for file in database.path.parent.glob("vestibule.sqlite3*"):
        file.rename(file.with_name(file.name.replace("vestibule", "before")))
    return database.path.with_name("before.sqlite3")


def test_threads_and_transactions_share_one_pool(sqlite_file: Database) -> None:
    """Statements one after the other run on one connection; settings for a whole table do not stay."""
    stores = over(sqlite_file)
    stores.accounts.add(alice := account())
    with sqlite_file.transaction() as connection:
        first = connection.connection.dbapi_connection
    stores.sessions.end_all()
    with pytest.raises(Unavailable):
        stores.sessions.add(session("nobody"))

    with sqlite_file.reading() as connection:
        assert connection.connection.dbapi_connection is first
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    assert alice == stores.accounts.by_id(alice.id)


def test_a_file_that_vanishes_is_not_made_anew(in_use: tuple[Database, Stores, Account]) -> None:
    """Under a running service a missing file is Unavailable, never an empty database, nor one without a name."""
    database, stores, alice = in_use
    take_away(database)

    for attempt in (
        lambda: stores.accounts.by_username("alice"),
        lambda: stores.sessions.add(session(alice.id)),
        stores.sessions.end_all,
        lambda: stores.accounts.add(account("bob")),
    ):
        with pytest.raises(Unavailable):
            attempt()
    assert database.ping() is False
    assert database.path
    assert not database.path.exists()


def test_a_restored_file_is_used(in_use: tuple[Database, Stores, Account]) -> None:
    """Workers that had the file open before it was replaced read and write the one that has the name now."""
    database, stores, alice = in_use
    assert database.path
    with sqlite.DRIVER.connect(take_away(database)) as before:
        before.execute(f"VACUUM INTO '{database.path}'")
    before.execute("DELETE FROM accounts")
    before.commit()
    before.close()

    stores.sessions.add(one := session(alice.id))
    with stores.transaction():
        stores.sessions.add(another := session(alice.id))

    assert alice == stores.accounts.by_id(alice.id)
    database.close()
    assert {one.id, another.id} == {found.id for found in stores.sessions.of_account(alice.id)}


@pytest.mark.parametrize(("newer", "expected"), [(0, "wal"), (1, "truncate")])
def test_the_journal_is_one_that_is_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, newer: int, expected: str
) -> None:
    """Write-ahead logging only from the first library on in which it loses no commits; the start-up line can say so."""
    assert sqlite.SAFE_WAL == (3, 51, 3)
    *series, patch = sqlite.DRIVER.sqlite_version_info
    monkeypatch.setattr(sqlite, "SAFE_WAL", (*series, patch + newer))
    state_dir.make_file(tmp_path / "x.sqlite3")
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")

    with database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == expected == database.journal_mode
    database.close()


def test_commits_are_synced(file_database: Database) -> None:
    """An acknowledged change survives a power cut, with either journal; foreign keys hold; nothing is mapped."""
    settings = ("synchronous", "foreign_keys", "mmap_size")

    with file_database.reading() as connection:
        said = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in settings]

    assert said == [2, 1, 0]


def test_a_database_that_another_program_holds_is_unavailable(sqlite_file: Database) -> None:
    """A lock that is not given back in time is Unavailable; reading goes on."""
    stores = over(sqlite_file)
    stores.accounts.add(alice := account())
    holder = sqlite.DRIVER.connect(sqlite_file.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable, match="locked"):
        stores.sessions.add(session(alice.id))
    with pytest.raises(Unavailable, match="locked"), stores.transaction():
        pass

    assert alice == stores.accounts.by_id(alice.id)
    holder.execute("ROLLBACK")
    holder.close()
    stores.sessions.add(session(alice.id))


class SlowTurn:
    """A lock that is had after 0.7 s, and the clock on which they pass; each look at that clock lasts 10 ms."""

    now = 0.0

    def acquire(self, *, timeout: float) -> bool:
        self.now += 0.7
        return timeout >= 0.7

    def release(self) -> None:
        """Give it back."""

    def clock(self) -> float:
        self.now += 0.01
        return self.now


@pytest.fixture
def slow_turn(sqlite_file: Database, monkeypatch: pytest.MonkeyPatch) -> SlowTurn:
    """The process's own queue takes most of the time that a write has."""
    assert sqlite_file.ping()
    slow = SlowTurn()
    monkeypatch.setattr(sqlite_file.engine, "_writing", slow)
    monkeypatch.setattr(sqlite, "monotonic", slow.clock)
    return slow


@pytest.mark.parametrize("how", ["statement", "transaction"])
def test_a_write_has_one_deadline_for_all_that_it_waits_for(
    sqlite_file: Database, slow_turn: SlowTurn, how: str
) -> None:
    """What was waited for the turn is not waited for the file's lock again."""
    stores = over(sqlite_file)
    holder = sqlite.DRIVER.connect(sqlite_file.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable, match="locked"):
        stores.links.consume(b"") if how == "statement" else stores.accounts.add(account())

    holder.close()
    assert 0.8 < slow_turn.now < 0.9


@pytest.mark.usefixtures("slow_turn")
def test_a_commit_has_what_is_left_and_a_little_at_least(sqlite_file: Database) -> None:
    """With a rollback journal it waits for readers; it is not given up for want of a few milliseconds."""
    with sqlite_file.transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 200


def test_a_full_disk_refuses_writes_and_nothing_else(file_database: Database) -> None:
    """Where no file may grow, new sessions are Unavailable, look-ups go on, and what was kept is whole."""
    stores = over(file_database)
    stores.accounts.add(alice := account())
    file_database.close()

    (done,) = together(("fill", address_of(file_database), alice.id, 400_000))

    assert done["refused"]
    assert done["found"]
    assert done["opened"] + 1 == len(stores.sessions.of_account(alice.id))
    assert is_whole(file_database)


def test_look_ups_use_an_index(sqlite_file: Database) -> None:
    """No query of a request or a scrape reads a table from end to end."""
    values = dict.fromkeys(("username", "account_id", "token_hash", "id", "after", "now", "page", "most"), 1)
    values |= {name: 1 for kind in (True, False) for name in (f"idle_{kind}", f"old_{kind}")}
    values |= {"ahead": 1, "besides": 1, "earliest": 1} | {purpose.name: 1 for purpose in Purpose}
    with sqlite_file.reading() as connection:
        for statement in (
            accounts._BY_USERNAME,
            accounts._BY_ID,
            accounts._HAS_ADMINISTRATOR,
            accounts._PAGE,
            accounts._COUNT,
            sessions._FIND,
            sessions._OF_ACCOUNT,
            sessions._COUNT_LIVE,
            sessions._END_BY_ID,
            sessions._END_OF_ACCOUNT,
            sessions._FIND_EXPIRED,
            app_passwords._FIND,
            app_passwords._OF_ACCOUNT,
            app_passwords._END,
            app_passwords._END_OF_ACCOUNT,
            links._FIND,
            links._DELETE_EXPIRED,
        ):
            text, parameters = statement.bound(connection.dialect, values)
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters).all()
            steps = [row[-1] for row in plan if row[-1].startswith("SCAN ") and row[-1] != "SCAN found"]
            assert [step for step in steps if "INDEX" not in step and "CONSTANT" not in step] == [], text
