"""An upgrade that is ended in the middle, by a signal, by the loss of its connection, or when its time is over."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa

from service.storage.engine.database import Database
from service.storage.engine.statement import Statement
from service.storage.upkeep import server_locks
from tests.rig.servers import VESTIBULE
from tests.rig.until import until
from tests.storage.children import Child, started
from tests.storage.place import HEAD, LATER, LATER_STEP, Place, upgrade_server
from tests.storage.stores import account, address_of, over

# What keeps a step from ending: a statement of the server's, and work of the process.
ENDLESS: Final = {
    "postgresql": "    op.execute('SELECT pg_sleep(600)')\n",
    "sqlite": "    __import__('signal').pause()\n",
}
ACTIVE: Final = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(600)'"
STEPS: Final = Statement(sa.text(f"SELECT pid {ACTIVE}"))
END_STEPS: Final = Statement(sa.text(f"SELECT pg_terminate_backend(pid) {ACTIVE}"))
REVISION: Final = Statement(sa.text("SELECT version_num FROM alembic_version"))


@contextmanager
def in_the_middle(migrations: Path, engine: str, command: tuple[str, ...]) -> Iterator[Child]:
    """Yield a process that upgrades, and will not come to an end by itself; the step is then an ordinary one again."""
    step = migrations / f"versions/{LATER}_later.py"
    begun = f"    __import__('pathlib').Path({str(migrations / 'begun')!r}).touch()\n"
    step.write_text(LATER_STEP + begun + ENDLESS[engine])
    with started(command) as (child,):
        until((migrations / "begun").exists, "the step runs")
        yield child
    step.write_text(LATER_STEP)


def killed(child: Child, _database: Database) -> None:
    """Kill the process: it can say nothing to the server, which runs the statement on."""
    child.kill()


def cut_off(_child: Child, database: Database) -> None:
    """End the connection at the server, as its restart does."""
    until(lambda: database.run(STEPS), "the server runs the step")  # in one transaction it would always show the same
    database.run(END_STEPS)


@pytest.mark.parametrize("end", [killed, cut_off])
def test_an_interrupted_upgrade_of_a_server_is_begun_again(
    own_postgresql: Database, request: pytest.FixtureRequest, end: Callable[[Child, Database], None]
) -> None:
    """The tables are as before, with every row; the next upgrade waits for what is left of the first, and works."""
    over(own_postgresql).accounts.add(alice := account())
    migrations: Path = request.getfixturevalue("later_release")

    with in_the_middle(migrations, "postgresql", ("upgrade", address_of(own_postgresql), LATER, str(migrations))) as it:
        end(it, own_postgresql)
    before = own_postgresql.run(REVISION)
    said = upgrade_server(own_postgresql)

    assert before == [(HEAD,)]
    assert said == f"The database was brought from revision {HEAD} to {LATER}."
    assert over(own_postgresql).accounts.by_username("alice") == alice


def test_a_killed_upgrade_of_a_file_is_begun_again(place: Place, request: pytest.FixtureRequest) -> None:
    """SQLite: the file is as before, with every row, and the next start upgrades it."""
    over(database := place.prepare()).accounts.add(alice := account())
    database.close()
    migrations: Path = request.getfixturevalue("later_release")

    with in_the_middle(
        migrations, "sqlite", ("prepare", place.address, str(place.state_dir), LATER, str(migrations))
    ) as it:
        it.kill()
    before = place.sql("SELECT version_num FROM alembic_version", "PRAGMA integrity_check")
    after = place.prepare()

    assert before == [(HEAD,), ("ok",)]
    assert after.run(REVISION) == [(LATER,)]
    assert over(after).accounts.by_username("alice") == alice


@pytest.fixture
def command(own_postgresql: Database, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `vestibule db upgrade` on a database that another connection upgrades at this time."""
    environ = os.environ | {"VESTIBULE_DATABASE_URL": address_of(own_postgresql), "VESTIBULE_STATE_DIR": str(tmp_path)}

    def start(*options: str) -> subprocess.Popen[str]:
        typed = [*map(str, VESTIBULE), "db", "upgrade", *options]
        return subprocess.Popen(typed, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    with own_postgresql.wholesale() as connection:
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")  # on a busy machine it is long
        server_locks.begin_upgrade(connection)
        yield start


def test_the_command_ends_with_3_when_its_time_is_over(command: Callable[..., subprocess.Popen[str]]) -> None:
    """Standard error says who is at work, since when, and how to wait longer; standard output says nothing."""
    out, said = (process := command("--wait", "2s")).communicate(timeout=30)

    assert (process.returncode, out) == (3, "")
    first, last = said.splitlines()
    assert first.startswith("waiting for another upgrade: the connection with process id ")
    assert last.startswith("not available: waited 2 s for another upgrade: the connection with process id ")
    assert last.endswith("or type `vestibule db upgrade --wait 1h`")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command_in_words(command: Callable[..., subprocess.Popen[str]], how: signal.Signals) -> None:
    """An orchestrator that gives up, or Ctrl-C: exit code 1, and what state the tables are in."""
    process = command()
    assert process.stderr
    assert process.stderr.readline().startswith("waiting for another upgrade: ")

    process.send_signal(how)
    _, said = process.communicate(timeout=30)

    assert process.returncode == 1
    assert said.startswith("Interrupted: the tables are as before, or the upgrade was done already.")
