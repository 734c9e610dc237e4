"""`db rehearse`: the steps that are missing are run on a copy, and the service's database is only read."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from service import upkeep
from service.services import Unavailable
from service.services.upkeep import Rehearsal
from service.settings import load
from service.storage.engine.database import Database, SchemaFault
from service.storage.engine.statement import Statement
from service.storage.upkeep import rehearsal
from service.storage.upkeep.revision import revision_of
from tests.rig.postgres import Postgres, name_of
from tests.rig.standby import standby_of
from tests.storage.place import HEAD, LATER, Place
from tests.storage.stores import NOW, account, address_of, over, session

REVISION = Statement(sa.text("SELECT version_num FROM alembic_version"))


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[str]:
    """The address of a database without tables."""
    address = postgres.new_database()
    yield address
    postgres.drop(address)


def filled(database: Database) -> Database:
    """Put two accounts, one with a session, into a database."""
    stores = over(database)
    stores.accounts.add(alice := account(groups=("staff",)))
    stores.accounts.add(account("bob"))
    stores.sessions.add(session(alice.id))
    return database


def rehearsed(database: Database, into: str | None = None) -> tuple[Rehearsal, list[str]]:
    """Return what a rehearsal found, and what it said meanwhile."""
    said: list[str] = []
    done = rehearsal.rehearse(database, Database(into) if into else None, now=NOW, say=said.append)
    return done, said


@pytest.mark.parametrize("way", ["straight", "pgbouncer"])
def test_a_server_is_rehearsed_in_another_database(
    own_postgresql: Database, empty: str, request: pytest.FixtureRequest, way: str
) -> None:
    """Each step with its time and its locks, all rows copied, progress in lines; also when PgBouncer stands before."""
    address = address_of(filled(own_postgresql))
    if way != "straight":
        address, empty = map(request.getfixturevalue("pgbouncer").to, (address, empty))
    request.getfixturevalue("later_release")

    with closing(Database(address)) as database:
        done, said = rehearsed(database, empty)

    assert [(step.revision, step.locks) for step in done.steps] == [(LATER, {"accounts": "ACCESS EXCLUSIVE"})]
    assert (done.rows["accounts"], done.rows["account_groups"], done.rows["sessions"]) == (2, 1, 1)
    assert "copied accounts: 2 rows" in said
    assert said[-1].startswith(f"step {LATER}: ")
    assert own_postgresql.run(REVISION) == [(HEAD,)]
    with closing(Database(empty)) as copied:
        assert copied.run(REVISION) == [(LATER,)]


def test_a_file_is_rehearsed_on_a_copy_that_is_removed(place: Place, request: pytest.FixtureRequest) -> None:
    """SQLite: what a killed rehearsal left is removed, too. The file is as before, and an operator's folder stays."""
    filled(place.prepare()).close()
    before = place.file.read_bytes()
    (place.state_dir / "vestibule.sqlite3-rehearsal").mkdir()
    (place.state_dir / "vestibule.sqlite3-rehearsal/left").touch()
    (place.state_dir / "rehearsal").mkdir()
    request.getfixturevalue("later_release")

    with closing(Database(place.address)) as database:
        done, said = rehearsed(database)

    assert [(step.revision, step.locks) for step in done.steps] == [(LATER, {"the whole file": "writing"})]
    assert (done.rows["accounts"], done.rows["sessions"]) == (2, 1)
    assert said[0].startswith(f"copied {place.file}: ")
    assert [path.name for path in place.state_dir.iterdir() if path.is_dir()] == ["rehearsal"]
    assert place.file.read_bytes() == before


def test_a_step_that_fails_fails_in_the_rehearsal(place: Place, request: pytest.FixtureRequest) -> None:
    """A step that does not get through with these rows is found before the service's database is touched."""
    filled(place.prepare()).close()
    migrations: Path = request.getfixturevalue("later_release")
    step = migrations / f"versions/{LATER}_later.py"
    step.write_text(step.read_text() + "    op.execute('CREATE UNIQUE INDEX one ON accounts (created_at)')\n")

    with closing(Database(place.address)) as database, pytest.raises(Exception, match="UNIQUE"):
        rehearsed(database)

    assert not any(path.is_dir() for path in place.state_dir.iterdir())
    assert place.sql("SELECT version_num FROM alembic_version") == [(HEAD,)]


def test_without_a_missing_step_nothing_is_copied(own_postgresql: Database, empty: str) -> None:
    """A database of this release has nothing to rehearse."""
    done, said = rehearsed(own_postgresql, empty)

    assert (done.steps, said) == ((), [])
    with closing(Database(empty)) as target, target.reading() as connection:
        assert revision_of(connection) is None


def test_a_copy_is_put_into_an_empty_database_alone(own_postgresql: Database, request: pytest.FixtureRequest) -> None:
    """A database with tables, such as the service's own, is refused before anything is written."""
    filled(own_postgresql)
    request.getfixturevalue("later_release")

    with pytest.raises(SchemaFault, match="--into has tables already"):
        rehearsed(own_postgresql, address_of(own_postgresql))

    assert len(list(over(own_postgresql).accounts.all())) == 2


@pytest.mark.parametrize("schema", ["public", "elsewhere"])
def test_a_database_with_tables_that_are_not_seen_is_no_empty_one(
    own_postgresql: Database, request: pytest.FixtureRequest, schema: str
) -> None:
    """The service's own database by another name, where the search_path leads to a schema without tables."""
    request.getfixturevalue("later_release")
    with own_postgresql.transaction() as connection:
        connection.exec_driver_sql("CREATE SCHEMA elsewhere")

    with pytest.raises(SchemaFault, match="--into has tables already"):
        rehearsed(own_postgresql, f"{address_of(own_postgresql)}&options=-csearch_path%3D{schema}")

    with own_postgresql.reading() as connection:
        assert sa.inspect(connection).get_table_names("elsewhere") == []


def test_a_user_that_the_copy_does_not_know_is_told_of_into(
    own_postgresql: Database, empty: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """What is wrong with the address of --into is not said of the service's own."""
    request.getfixturevalue("later_release")
    own = address_of(own_postgresql)
    settings = load({"VESTIBULE_STATE_DIR": str(tmp_path), "VESTIBULE_DATABASE_URL": own})

    with pytest.raises(SchemaFault, match=r'no user "nobodyknown": correct --into'):
        upkeep.rehearse(settings, empty.replace("vestibule@", "nobodyknown@"), print)


def test_a_table_that_is_locked_ends_a_rehearsal(
    own_postgresql: Database, empty: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rehearsal waits for no lock without an end, and leaves no tables in the other database."""
    request.getfixturevalue("later_release")
    monkeypatch.setattr(rehearsal, "_BEGIN_READING", rehearsal._BEGIN_READING.replace(b"10s", b"100ms"))

    with closing(Database(address_of(own_postgresql))) as other, other.wholesale() as connection:
        connection.exec_driver_sql("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Unavailable, match="lock timeout"):
            rehearsed(own_postgresql, empty)

    with closing(Database(empty)) as target, target.reading() as connection:
        assert revision_of(connection) is None


def test_a_standby_is_not_rehearsed(
    postgres: Postgres, own_postgresql: Database, empty: str, request: pytest.FixtureRequest
) -> None:
    """It has no unlogged tables, so that the copy would break off in the middle: the refusal asks for the primary."""
    name = name_of(address_of(own_postgresql))
    request.getfixturevalue("later_release")
    with ExitStack() as stack:
        standby = stack.enter_context(standby_of(postgres))
        database = stack.enter_context(closing(Database(standby.address_of(name))))
        stack.enter_context(pytest.raises(SchemaFault, match="give the address of the primary"))
        rehearsed(database, empty)
