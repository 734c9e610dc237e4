"""PostgreSQL: upgrades by command, and what the service does while the server is away."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext

import pytest
import sqlalchemy as sa

from service.services import Unavailable
from service.storage.engine import postgresql as engine
from service.storage.engine.database import Database
from service.storage.engine.statement import Statement
from service.storage.upkeep import schema
from service.storage.upkeep.schema import SchemaFault
from tests.rig.postgres import Postgres, name_of
from tests.rig.until import until
from tests.storage.children import together
from tests.storage.place import HEAD, LATER, upgrade_server
from tests.storage.stores import account, address_of, over, session


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[Database]:
    """A database without tables."""
    address = postgres.new_database()
    database = Database(address)
    yield database
    database.close()
    postgres.drop(address)


def test_missing_tables_are_pending_until_upgraded(empty: Database) -> None:
    """`/readyz` is red until `db upgrade` has run, and green at once then."""
    schema.prepare(empty, backups=None, now=0)  # type: ignore[arg-type]
    before = schema.pending(empty)

    said = upgrade_server(empty)

    assert before
    assert not schema.pending(empty)
    assert schema.HEAD in said
    assert "already" in upgrade_server(empty)


def test_a_start_leaves_no_connection(own_postgresql: Database) -> None:
    """Workers are forked afterwards: one that the master keeps would be a place less for them all its life."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

    with closing(Database(address_of(own_postgresql))) as second, second.reading() as onlooker:
        schema.prepare(own_postgresql, backups=None, now=0)  # type: ignore[arg-type]

        until(lambda: onlooker.exec_driver_sql(others).scalar() == 0, "the start's connections are closed")


def test_parallel_upgrades_make_one(empty: Database) -> None:
    """Init containers of several replicas run at once: one works, the others wait, none fails."""
    said = together(*[("upgrade", address_of(empty), HEAD)] * 4)

    assert all(HEAD in words for words in said)
    assert not schema.pending(empty)


def test_an_upgrade_keeps_every_row(own_postgresql: Database, request: pytest.FixtureRequest) -> None:
    """From one release to the next with people in the tables, asked for twice."""
    stores = over(own_postgresql)
    stores.accounts.add(alice := account(groups=("staff",)))
    stores.sessions.add(kept := session(alice.id))
    migrations = request.getfixturevalue("later_release")

    together(*[("upgrade", address_of(own_postgresql), LATER, str(migrations))] * 2)

    assert alice == stores.accounts.by_username("alice")
    assert [kept] == stores.sessions.of_account(alice.id)
    assert not schema.pending(own_postgresql)


def test_a_later_database_that_allows_this_release_is_used(own_postgresql: Database) -> None:
    """Old and new replicas run side by side while a release is rolled out, or back."""
    with own_postgresql.transaction() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0009'"))

    assert not schema.pending(own_postgresql)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE schema_info SET value = '99.0.0'", "needs Vestibule 99.0.0 or later"),
        ("DROP TABLE schema_info", "not Vestibule's"),
        ("DELETE FROM schema_info", "which release"),
    ],
)
def test_a_database_that_is_not_this_releases_stops_the_start(
    own_postgresql: Database, statement: str, message: str
) -> None:
    """Too new, another program's, or with half of the tables: refused in words, at the start and by the command."""
    with own_postgresql.transaction() as connection:
        connection.execute(sa.text(statement))

    with pytest.raises(SchemaFault, match=message):
        schema.prepare(own_postgresql, backups=None, now=0)  # type: ignore[arg-type]
    with pytest.raises(SchemaFault, match=message):
        upgrade_server(own_postgresql)


def test_a_server_that_is_away_does_not_stop_the_start(caplog: pytest.LogCaptureFixture) -> None:
    """Services start in any order; a caller meanwhile gets Unavailable, and the log says why."""
    database = Database("postgresql://vestibule:secret@127.0.0.1:1/vestibule")

    schema.prepare(database, backups=None, now=0)  # type: ignore[arg-type]

    assert "no answer from the database: " in caplog.text
    assert "secret" not in caplog.text
    assert database.ping() is False
    with pytest.raises(Unavailable):
        schema.pending(database)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_restart_is_survived(postgres: Postgres, postgresql: Database, how: signal.Signals) -> None:
    """Stopped or crashed: Unavailable while it is away; afterwards the pool works again, with all that was kept."""
    stores = over(postgresql)
    stores.accounts.add(alice := account())

    postgres.stop(how)
    with pytest.raises(Unavailable):
        stores.accounts.by_id(alice.id)
    with pytest.raises(Unavailable), stores.transaction():
        pass
    postgres.start()

    until(postgresql.ping, "the pool is well again")
    assert alice == stores.accounts.by_id(alice.id)
    stores.sessions.add(session(alice.id))


def test_an_idle_pool_does_not_notice_a_restart(
    postgres: Postgres, postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections that lay idle are asked before they are used: the first transaction afterwards succeeds."""
    monkeypatch.setattr(engine, "TRUSTED_SECONDS", 0)
    stores = over(postgresql)
    stores.accounts.add(alice := account())

    postgres.stop()
    postgres.start()

    with stores.transaction():
        stores.sessions.add(session(alice.id))
    assert len(stores.sessions.of_account(alice.id)) == 1


def test_a_read_on_a_lost_connection_is_tried_again(postgres: Postgres, postgresql: Database) -> None:
    """Session look-ups do not fail for a connection that was lost a moment ago."""
    stores = over(postgresql)
    stores.accounts.add(alice := account())

    postgres.stop()
    postgres.start()

    assert alice == stores.accounts.by_id(alice.id)


@pytest.mark.parametrize("in_transaction", [True, False])
def test_a_connection_that_was_closed_while_idle_costs_no_change(
    postgres: Postgres, own_postgresql: Database, *, in_transaction: bool
) -> None:
    """Closed a moment ago, it is noticed before a change is sent on it: none has to be refused as perhaps done."""
    stores = over(own_postgresql)
    stores.accounts.add(alice := account())
    end = "SELECT bool_and(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = %s"
    assert postgres.value(end, name_of(address_of(own_postgresql)))

    with stores.transaction() if in_transaction else nullcontext():
        stores.sessions.add(kept := session(alice.id))

    assert stores.sessions.of_account(alice.id) == [kept]


def test_with_no_further_connection_the_open_one_is_shared(postgres: Postgres, own_postgresql: Database) -> None:
    """The server's limit is reached, or the password was changed there: requests take turns, and none is refused."""
    own_postgresql.close()
    own_postgresql.run(Statement(sa.text("SELECT 1")))
    refuse = "UPDATE pg_database SET datallowconn = false WHERE datname = %s RETURNING true"
    assert postgres.value(refuse, name_of(address_of(own_postgresql)))

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: own_postgresql.run(Statement(sa.text("SELECT pg_sleep(0.005)"))), range(16)))

    assert len(found) == 16


def test_waiting_for_a_lock_ends(postgresql: Database) -> None:
    """A row that another transaction has locked is Unavailable, not a request that hangs."""
    stores = over(postgresql)
    stores.accounts.add(alice := account(password_hash="old"))
    other = Database(address_of(postgresql))

    with postgresql.transaction() as holder:
        holder.execute(sa.text("SELECT * FROM accounts FOR UPDATE"))
        with pytest.raises(Unavailable, match="timeout"):
            over(other).accounts.set_password(alice.id, "new", now=0)
    other.close()


def test_no_connection_leaks(postgres: Postgres, own_postgresql: Database) -> None:
    """After many failed statements and transactions no more connections are open than threads used them."""
    broken = Statement(sa.text("SELECT 1 / 0"))

    def fail(_turn: int) -> None:
        with pytest.raises(Unavailable):
            own_postgresql.run(broken)
        with pytest.raises(Unavailable), own_postgresql.transaction():
            own_postgresql.run(broken)

    with ThreadPoolExecutor(4) as callers:
        list(callers.map(fail, range(100)))

    assert postgres.connections(address_of(own_postgresql)) <= 4


@pytest.mark.parametrize(("chosen", "shown"), [("", "vestibule"), ("&application_name=login", "login")])
def test_the_servers_operator_sees_whose_connection_it_is(own_postgresql: Database, chosen: str, shown: str) -> None:
    """A connection carries the service's name, unless the address gives it another one."""
    with closing(Database(address_of(own_postgresql) + chosen)) as database:
        assert database.run(Statement(sa.text("SHOW application_name"))) == [(shown,)]


def test_acknowledged_means_on_disk(own_postgresql: Database) -> None:
    """Where the server's default would answer before the commit is on disk, our connections say otherwise."""
    name = name_of(address_of(own_postgresql))
    with own_postgresql.reading() as connection:
        connection.execute(sa.text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    own_postgresql.close()
    show = Statement(sa.text("SHOW synchronous_commit"))

    alone = own_postgresql.run(show)
    together = own_postgresql.within(lambda database: database.run(show))

    assert alone == together == [("on",)]
