"""Two operators at once: what one command wrote, another that began before does not undo."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from click.testing import Result

from service.login.accounts import Account
from service.storage.accounts import SqlAccounts
from service.storage.engine.database import Database
from service.storage.sessions import SqlSessions
from service.storage.upkeep import schema
from tests.cli.terminal import Terminal
from tests.rig.memory_store import MemoryAccounts, Rows
from tests.rig.people import NOW, alice
from tests.rig.postgres import Postgres, postgres
from tests.rig.until import until

__all__ = ["postgres"]

_WAITS = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def database(postgres: Postgres, tmp_path: Path) -> Iterator[Database]:
    """A PostgreSQL database in which alice is."""
    database = Database(address := postgres.new_database())
    schema.upgrade(database, backups=tmp_path, now=NOW)
    SqlAccounts(database).add(alice(groups=("ops",)))
    yield database
    database.close()
    postgres.drop(address)


@contextmanager
def another(database: Database, change: Callable[[Account], Account]) -> Iterator[None]:
    """Change alice in a transaction that ends only when another one waits for it; the block runs meanwhile."""
    accounts, is_changed = SqlAccounts(database), Event()

    def is_awaited() -> bool:
        with database.engine.sqlalchemy.connect() as onlooker:
            return onlooker.exec_driver_sql(_WAITS).first() is not None

    def write() -> None:
        with database.transaction():
            accounts.replace(change(alice(groups=("ops",))))
            is_changed.set()
            until(is_awaited, "another transaction waits")

    with ThreadPoolExecutor(1) as operators:
        written = operators.submit(write)
        assert is_changed.wait(20)
        yield
        written.result()


def _typed(terminal: Terminal, database: Database, *words: str) -> Result:
    accounts, sessions = SqlAccounts(database), SqlSessions(database)
    return terminal.run(*words, accounts=accounts, sessions=sessions, transaction=database.transaction)


@pytest.mark.parametrize(
    ("words", "change", "known"),
    [
        (("edit", "alice", "--admin"), {"disabled_at": NOW}, {"disabled_at": NOW, "is_admin": True}),
        (("edit", "alice", "--admin"), {"groups": ("a", "b")}, {"groups": ("a", "b"), "is_admin": True}),
        (("disable", "alice"), {"groups": ()}, {"groups": (), "disabled_at": NOW}),
        (("enable", "alice"), {"email": "a@example.test"}, {"email": "a@example.test"}),
    ],
    ids=str,
)
def test_both_changes_stay(
    terminal: Terminal,
    database: Database,
    words: tuple[str, ...],
    change: dict[str, object],
    known: dict[str, object],
) -> None:
    """A command that meets another's open change waits for it and goes on from there: a shut account stays shut."""
    with another(database, lambda person: replace(person, **change)):  # type: ignore[arg-type]
        done = _typed(terminal, database, "account", *words)

    kept = SqlAccounts(database).by_username("alice")
    assert (done.exit_code, done.stderr) == (0, "")
    assert {name: getattr(kept, name) for name in known} == known


def test_an_account_added_meanwhile_is_left_alone(terminal: Terminal, tmp_path: Path) -> None:
    """A name that another command takes between check and write counts as existing; the other rows are added."""
    (file := tmp_path / "people.csv").write_text("username\nbob\ncarol\n")

    done = terminal.run("account", "import", str(file), accounts=Overtaken(terminal.world.rows, by="bob"))

    assert (done.exit_code, done.stdout) == (0, "Accounts added: 1; existed already: 1.\n")
    assert {a.username for a in terminal.world.rows.accounts.values()} == {"alice", "bob", "carol"}


class Overtaken(MemoryAccounts):
    """A store in which another command adds an account between the check and the write."""

    def __init__(self, rows: Rows, *, by: str) -> None:
        super().__init__(rows)
        self._by = by

    def add(self, account: Account) -> None:
        if account.username == self._by:
            super().add(alice(id="b", username=self._by))
        super().add(account)
