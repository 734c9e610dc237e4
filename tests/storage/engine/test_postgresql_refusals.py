"""What PostgreSQL refuses: told in words, with what to type, and never with a password."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from service.services import Unavailable
from service.storage.engine.database import Database, SchemaFault
from service.storage.upkeep import schema
from tests.rig.pgbouncer import PgBouncer
from tests.rig.postgres import LOCKED, Postgres, name_of
from tests.storage.place import upgrade_server
from tests.storage.stores import over

SECRET = "Zuckerrübe"


@pytest.fixture
def address(postgres: Postgres) -> Iterator[str]:
    """The address of a database without tables."""
    address = postgres.new_database()
    yield address
    postgres.drop(address)


@pytest.fixture(scope="module")
def _users(postgres: Postgres) -> None:
    """A user with a password, and one who may connect and nothing else."""
    with psycopg.connect(postgres.address_of("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {LOCKED} LOGIN PASSWORD '{SECRET}'".encode())
        connection.execute("CREATE ROLE guest LOGIN")


def refusal(address: str, start: Callable[[Database], object] | None = None) -> str:
    """Return why a start on this database is refused, or `db upgrade`."""
    with closing(Database(address)) as database, pytest.raises(SchemaFault) as fault:
        (start or prepare)(database)
    return str(fault.value)


def prepare(database: Database) -> None:
    """Start on it."""
    schema.prepare(database, backups=Path("nowhere"), now=0)


def as_user(address: str, user: str) -> str:
    """Return the same address for another user."""
    return address.replace("vestibule@", f"{user}@")


def test_every_question_to_an_empty_database_names_the_command(address: str) -> None:
    """Before `db upgrade` no statement ends in "relation does not exist": a store tells what to type."""
    with closing(Database(address)) as database:
        stores = over(database)
        for ask in (
            lambda: stores.accounts.by_username("alice"),
            lambda: list(stores.sessions.all()),
            lambda: stores.links.consume(b""),
            stores.sessions.end_all,
        ):
            with pytest.raises(Unavailable, match="vestibule db upgrade"):
                ask()


def test_a_start_on_an_empty_database_names_the_command(address: str, caplog: pytest.LogCaptureFixture) -> None:
    """The service starts, because its tables may be made meanwhile, and its log says by which command."""
    with closing(Database(address)) as database:
        prepare(database)

    assert "vestibule db upgrade" in caplog.text


@pytest.mark.usefixtures("_users")
@pytest.mark.parametrize("revoked", ["", "REVOKE USAGE ON SCHEMA public FROM PUBLIC"])
def test_without_rights_on_the_schema_the_grant_is_named(address: str, revoked: str) -> None:
    """What the message says to type is what lets the same user make the tables."""
    with psycopg.connect(address, autocommit=True) as owner:
        owner.execute(revoked.encode())
        with closing(Database(as_user(address, "guest"))) as database:
            said = refusal(as_user(address, "guest"), upgrade_server)
            owner.execute(("GRANT" + said.partition("GRANT")[2]).encode())

            assert schema.HEAD in upgrade_server(database)


@pytest.mark.usefixtures("_users")
def test_without_rights_on_the_tables_the_grant_is_named(address: str) -> None:
    """Tables that another user made: what the message says to type is what lets this one use them."""
    with closing(Database(address)) as database:
        upgrade_server(database)
    with psycopg.connect(address, autocommit=True) as owner:
        grant = "GRANT" + refusal(as_user(address, "guest")).partition("GRANT")[2]
        owner.execute(grant.encode())

    with closing(Database(as_user(address, "guest"))) as database:
        prepare(database)
        assert over(database).accounts.by_username("alice") is None


@pytest.mark.usefixtures("_users")
def test_a_search_path_without_a_schema_is_named(address: str) -> None:
    """What the message says to type is what lets the same user make the tables."""
    with psycopg.connect(address, autocommit=True) as owner:
        owner.execute(f"ALTER ROLE guest IN DATABASE {name_of(address)} SET search_path = missing".encode())
        said = refusal(as_user(address, "guest"), upgrade_server)
        owner.execute(("ALTER ROLE" + said.partition("ALTER ROLE")[2]).encode())

    with closing(Database(as_user(address, "guest"))) as database:
        assert schema.HEAD in upgrade_server(database)


@pytest.mark.usefixtures("_users", "later_release")
def test_an_upgrade_by_another_user_than_the_owner_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No right to make tables is asked for, which would not help: the owner of those that are there is."""
    with monkeypatch.context() as before, closing(Database(address)) as database:
        before.setattr(schema, "HEAD", f"{int(schema.HEAD) - 1:04}")
        upgrade_server(database)
        with database.transaction() as owner:
            owner.exec_driver_sql("GRANT CREATE ON SCHEMA public TO guest")
            owner.exec_driver_sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO guest")

    assert "the tables belong to another database user" in refusal(as_user(address, "guest"), upgrade_server)


@pytest.mark.usefixtures("_users")
@pytest.mark.parametrize("password", ["", ":Rosenkohl"])
def test_a_wrong_password_stops_the_start(address: str, password: str) -> None:
    """The message says so, and of which user, and repeats neither the wrong nor the right one."""
    said = refusal(as_user(address, f"{LOCKED}{password}"))

    assert f'refuses the user "{LOCKED}" or the password' in said
    assert "Rosenkohl" not in said
    assert SECRET not in said
    assert said == refusal(as_user(address, f"{LOCKED}{password}"), upgrade_server)


def test_a_wrong_name_stops_the_start(address: str, pgbouncer: PgBouncer) -> None:
    """A database or a user that does not exist is named in the message, by the server and through PgBouncer."""
    elsewhere = address.replace(name_of(address), "elsewhere")

    assert 'no database "elsewhere"' in refusal(elsewhere)
    assert 'no user "stranger"' in refusal(as_user(address, "stranger"))
    assert "elsewhere" in refusal(pgbouncer.to(elsewhere))
    assert "stranger" in refusal(as_user(pgbouncer.to(address), "stranger"))


def test_another_default_isolation_stops_the_start(address: str) -> None:
    """Statements by themselves would fail beside others: refused, with the command that mends it."""
    with psycopg.connect(address, autocommit=True) as owner:
        name = name_of(address)
        owner.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'".encode())

    assert "SET default_transaction_isolation = 'read committed'" in refusal(address)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])  # the second is that of a server set up without a locale
def test_names_need_unicode(postgres: Postgres, encoding: str) -> None:
    """A database in another encoding is refused before it gets tables."""
    database = Database(postgres.new_database(encoding=encoding))

    with pytest.raises(SchemaFault, match="UTF8"):
        upgrade_server(database)
    database.close()


def test_the_environment_chooses_no_encoding(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What libpq's PGCLIENTENCODING says for other programs changes no text of ours."""
    monkeypatch.setenv("PGCLIENTENCODING", "SQL_ASCII")

    with closing(Database(address)) as database, database.reading() as connection:
        assert connection.exec_driver_sql("SELECT 'Zoë'").scalar() == "Zoë"


@pytest.mark.parametrize("host", ["", "database.invalid"])
def test_the_address_of_a_host_is_taken_in_place_of_its_name(postgres: Postgres, address: str, host: str) -> None:
    """`hostaddr`, as libpq documents it, says where the server is: no resolver is asked for the host."""
    by_address = f"postgresql://vestibule@{host}:{postgres.port}/{name_of(address)}?hostaddr=127.0.0.1"

    with closing(Database(by_address)) as database:
        assert database.ping()


def test_the_refusal_of_a_moment_ago_is_told_again(postgres: Postgres) -> None:
    """For a second no request asks the server again: each is told why the last one was refused."""
    with closing(Database(postgres.address_of("none"))) as database:
        for _ in range(3):
            with pytest.raises(SchemaFault, match='no database "none"'):
                over(database).accounts.by_username("alice")
