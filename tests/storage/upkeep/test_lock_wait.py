"""An upgrade that meets a lock: it lets all others go on, says whose lock it is, and ends when its time is over."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.services import Unavailable
from service.storage.engine import sqlite
from service.storage.engine.database import Database
from service.storage.engine.statement import Statement
from service.storage.upkeep import lock_wait, schema, server_locks
from tests.rig.postgres import Postgres
from tests.rig.until import until
from tests.storage.children import started
from tests.storage.place import LATER, Place, upgrade_server
from tests.storage.stores import NOW, account, address_of, over

COUNT = Statement(sa.text("SELECT count(*) FROM accounts"))
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Report every attempt, with short pauses."""
    monkeypatch.setattr(lock_wait, "REPORT_SECONDS", 0)
    monkeypatch.setattr(lock_wait, "SHORT_SECONDS", 0)
    monkeypatch.setattr(lock_wait, "PAUSE_SECONDS", 0.01)


@contextmanager
def upgrading(address: str) -> Iterator[list[str]]:
    """Upgrade in a thread beside the block; what it said is in the list afterwards."""
    said: list[str] = []
    with ThreadPoolExecutor() as thread, closing(Database(address)) as database:
        done = thread.submit(schema.upgrade, database, backups=Path("nowhere"), now=NOW, wait=30)
        yield said
        said.append(done.result())


@pytest.fixture(params=["postgresql", "pgbouncer"])
def served(request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[tuple[Database, str]]:
    """A database with tables, and the address by which an upgrade reaches it: straight, or through PgBouncer."""
    direct = postgres.new_database()
    address = direct if request.param == "postgresql" else request.getfixturevalue("pgbouncer").to(direct)
    database = Database(direct)
    upgrade_server(database)
    yield database, address
    database.close()
    postgres.drop(direct)


def test_an_upgrade_waits_for_the_one_at_work(
    served: tuple[Database, str], request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """The report names the connection that upgrades, and since when; afterwards the work is found done."""
    database, address = served
    request.getfixturevalue("later_release")
    with database.wholesale() as connection:
        server_locks.begin_upgrade(connection)
        pid = connection.scalar(sa.text("SELECT pg_backend_pid()"))
        with upgrading(address) as said:
            until(lambda: len(caplog.messages) > 1, "it waits and says so")
            connection.execute(sa.text("UPDATE alembic_version SET version_num = :later"), {"later": LATER})
            connection.commit()

    assert f"another upgrade: the connection with process id {pid} (application vestibule db upgrade, " in caplog.text
    assert "user vestibule, client on this machine, idle in transaction, since 20" in caplog.text
    assert said == [f"The database is at revision {LATER} already."]


def test_no_statement_waits_behind_an_upgrade_that_waits_for_a_copy(
    served: tuple[Database, str], request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """While a long copy (pg_dump) reads the tables, the upgrade stays out of the server's queue and names the copy."""
    database, address = served
    request.getfixturevalue("later_release")
    with closing(Database(address_of(database) + "&application_name=pg_dump")) as copying, copying.wholesale() as copy:
        copy.execute(sa.text("SELECT count(*) FROM accounts"))
        with upgrading(address) as said:
            queues = set()
            while len(caplog.messages) < 5:
                queues.add(copy.scalar(sa.text(WAITING)))
                database.run(COUNT)
            copy.commit()

    assert queues == {0}
    assert "(application pg_dump, user vestibule, client on this machine, " in caplog.text
    assert ", which holds a lock on accounts" in caplog.text
    assert LATER in said[0]


def test_a_step_that_reads_a_copied_table_goes_beside_the_copy(served: tuple[Database, str]) -> None:
    """A new table that refers to accounts locks them in a mode that a copy does not mind: no wait at all."""
    database, address = served
    with database.transaction() as connection:
        connection.exec_driver_sql("DROP TABLE app_passwords")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'")

    with closing(Database(address)) as other, database.wholesale() as copy:
        copy.execute(sa.text("SELECT count(*) FROM accounts"))
        said = upgrade_server(other)

    assert said == f"The database was brought from revision 0003 to {schema.HEAD}."


def test_requests_without_end_do_not_keep_an_upgrade_out(
    served: tuple[Database, str], request: pytest.FixtureRequest
) -> None:
    """Four threads that read the table all the time leave no moment without a lock, and the upgrade gets its turn."""
    database, address = served
    request.getfixturevalue("later_release")
    done: list[str] = []

    def read() -> None:
        while not done:
            with suppress(Unavailable):  # a busy machine may let one wait too long; it is the upgrade that is watched
                database.run(COUNT)

    with ThreadPoolExecutor() as readers:
        reading = [readers.submit(read) for _ in range(4)]
        try:
            with closing(Database(address)) as other:
                done.append(upgrade_server(other))
        finally:
            done.append("")
        for reader in reading:
            reader.result()

    assert LATER in done[0]


def test_a_lock_that_no_step_names_is_waited_for_too(
    served: tuple[Database, str], request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """The step itself meets the lock: its work is undone, the connection in the way is named, and it is tried again."""
    database, address = served
    migrations = request.getfixturevalue("later_release")
    step = migrations / f"versions/{LATER}_later.py"
    step.write_text("\n".join(line for line in step.read_text().splitlines() if not line.startswith("locks")))
    with database.wholesale() as copy:
        copy.execute(sa.text("SELECT count(*) FROM accounts"))
        with upgrading(address) as said:
            until(lambda: ", which holds a lock on accounts" in caplog.text, "it waits and says so")
            copy.commit()

    assert LATER in said[0]


@pytest.mark.parametrize("table", ["alembic_version", "schema_info"])
def test_a_lock_that_keeps_the_revision_from_being_read_is_waited_for_too(
    own_postgresql: Database, caplog: pytest.LogCaptureFixture, table: str
) -> None:
    """Before it is known whether steps are missing: the connection in the way is named."""
    with own_postgresql.wholesale() as connection:
        connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        with upgrading(address_of(own_postgresql)) as said:
            until(lambda: f", which holds a lock on {table}" in caplog.text, "it waits and says so")
            connection.commit()

    assert said == [f"The database is at revision {schema.HEAD} already."]


def test_a_prepared_transaction_is_named_with_its_end(
    own_postgresql: Database, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """It has no connection: the report says whose it is, since when, and what to type; which helps."""
    request.getfixturevalue("later_release")
    with closing(Database(address_of(own_postgresql))) as other, other.reading() as connection:
        driver = connection.connection.dbapi_connection
        assert driver
        driver.cursor().execute("BEGIN; LOCK TABLE accounts; PREPARE TRANSACTION 'it''s lost'")
    with upgrading(address_of(own_postgresql)) as said, own_postgresql.reading() as connection:
        until(lambda: "a prepared transaction" in caplog.text, "it waits and says so")
        found = re.search(r"\(user vestibule, since 20.* UTC; it ends with (.*);\), which holds", caplog.text)
        assert found
        connection.exec_driver_sql(found[1])

    assert LATER in said[0]


SLOW_VACUUM = """
ALTER TABLE accounts SET (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0,
                          autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)
"""
MANY = """
INSERT INTO accounts (id, username, created_at, display_name, email, is_admin)
SELECT n, n, 0, repeat('x', 500), '', false FROM generate_series(1, 500) n
"""
VACUUMS = Statement(sa.text("SELECT pid FROM pg_stat_progress_vacuum WHERE datname = current_database()"))


def test_a_vacuum_is_called_so(own_postgresql: Database, postgres: Postgres, request: pytest.FixtureRequest) -> None:
    """A worker of the server's own has neither a user nor an application: the report says what it does."""
    request.getfixturevalue("later_release")
    with own_postgresql.transaction() as connection:
        connection.exec_driver_sql(SLOW_VACUUM)
        connection.exec_driver_sql(MANY)
    over(own_postgresql).accounts.add(account())
    with own_postgresql.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM accounts WHERE display_name <> ''")
    own_postgresql.close()  # tells the server what it counted
    postgres.configure("autovacuum_naptime", "1")
    try:
        until(lambda: own_postgresql.run(VACUUMS), "the server vacuums the table")
        with (
            closing(Database(address_of(own_postgresql))) as other,
            pytest.raises(Unavailable, match=r"\(application autovacuum, .*which holds a lock on accounts"),
        ):
            schema.upgrade(other, backups=None, now=NOW, wait=0)  # type: ignore[arg-type]
    finally:
        postgres.configure("autovacuum_naptime", "60")


def test_an_upgrade_ends_when_its_time_is_over(own_postgresql: Database, request: pytest.FixtureRequest) -> None:
    """The sentence says who was in the way, that nothing was changed, and how to wait longer."""
    request.getfixturevalue("later_release")
    with closing(Database(address_of(own_postgresql))) as other, own_postgresql.wholesale() as copy:
        copy.execute(sa.text("SELECT count(*) FROM accounts"))

        with pytest.raises(Unavailable, match=r"which holds a lock on accounts\. Nothing was changed.*--wait"):
            schema.upgrade(other, backups=None, now=NOW, wait=0)  # type: ignore[arg-type]

    assert schema.pending(own_postgresql)


@pytest.mark.parametrize(
    ("library", "use"), [((3, 51, 3), "BEGIN IMMEDIATE"), ((99,), "BEGIN"), ((99,), "BEGIN EXCLUSIVE")]
)
def test_a_file_that_another_process_uses_is_waited_for(
    place: Place,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    library: tuple[int, ...],
    use: str,
) -> None:
    """SQLite: a writer, or a reader of a file without a write-ahead log, is named, and waited for with no work kept.

    A process that has the file open, and no transaction, is not named.
    """
    monkeypatch.setattr(sqlite, "SAFE_WAL", library)
    over(before := place.prepare()).accounts.add(account())
    before.close()
    request.getfixturevalue("later_release")
    with (
        started(("occupy", str(place.file), "SELECT * FROM accounts")) as (idle,),
        started(("occupy", str(place.file), use, "SELECT * FROM accounts")) as (other,),
        ThreadPoolExecutor() as thread,
    ):
        assert idle.hear() == other.hear() == "in use"
        done, pid = thread.submit(place.prepare), other.process.pid
        until(lambda: len(caplog.messages) > 1, "it waits and says so")
        other.line.send("end")
        done.result().close()

    assert re.search(rf"waiting for the process {pid} \(\w+\), which holds a lock on {place.file}", caplog.text)
    assert place.sql("SELECT version_num FROM alembic_version") == [(LATER,)]


def test_a_start_waits_for_the_process_that_makes_the_database(place: Place) -> None:
    """SQLite: one process at a time, and the waiting one names the other; it ends when its time is over."""
    place.prepare().close()
    lock = place.file.with_name(place.file.name + ".lock")
    with started(("hold", str(lock))) as (holder,):
        assert holder.hear() == "holds"
        with pytest.raises(Unavailable, match=rf"waited 0 s for the process {holder.process.pid} \("):
            schema.upgrade(Database(place.address), backups=place.backups, now=NOW, wait=0)
