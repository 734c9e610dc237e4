"""Steps from one revision to the next, with rows in the tables, on both engines."""

from collections.abc import Iterator
from typing import Final

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from service.storage.engine.database import Database
from service.storage.engine.statement import Statement
from service.storage.upkeep import schema
from service.storage.upkeep.schema import SchemaFault
from tests.storage.place import Place
from tests.storage.stores import NOW, account, over

# An account as releases with revision 0002 add it.
ADD: Final = sa.text(
    "INSERT INTO accounts (id, username, created_at, display_name, email, is_admin) "
    "VALUES (:id, :username, 1800000000, '', '', false)"
)
COUNT: Final = Statement(sa.text("SELECT count(*) FROM accounts"))


@pytest.fixture(params=["sqlite", "postgresql"])
def earlier(request: pytest.FixtureRequest, place: Place) -> Iterator[Database]:
    """A database of revision 0002, in which the table `schema_info` was called `house`, with one account."""
    place.state_dir.mkdir(mode=0o700)
    place.file.touch(0o600)
    address = place.address
    if request.param == "postgresql":
        address = request.getfixturevalue("postgres").new_database()
    database = Database(address)
    with database.wholesale() as connection:
        config = Config()
        config.set_main_option("script_location", str(schema.MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.execute(sa.text("INSERT INTO house VALUES ('oldest_release', '0.1.0')"))
        connection.execute(ADD, {"id": "a1", "username": "alice"})
    yield database
    database.close()
    if request.param == "postgresql":
        request.getfixturevalue("postgres").drop(address)


def test_a_database_of_revision_0002_is_upgraded(earlier: Database, place: Place) -> None:
    """The renamed table keeps its row, and every account accepts the device cookies that it had."""
    said = schema.upgrade(earlier, backups=place.backups, now=NOW)

    assert schema.HEAD in said
    assert not schema.pending(earlier)
    assert over(earlier).accounts.by_username("alice") == account(id="a1", device_cookies_after=0)
    with earlier.reading() as connection:
        assert connection.scalar(sa.text("SELECT value FROM schema_info")) == schema.OLDEST_RELEASE
        assert not sa.inspect(connection).has_table("house")


def test_an_account_of_the_release_before_may_be_added_to_the_new_tables(earlier: Database, place: Place) -> None:
    """While a release is rolled out, an older replica adds accounts without the new column."""
    schema.upgrade(earlier, backups=place.backups, now=NOW)

    with earlier.transaction() as connection:
        connection.execute(ADD, {"id": "b1", "username": "bob"})

    assert over(earlier).accounts.by_username("bob") == account("bob", id="b1", device_cookies_after=0)


def test_a_database_of_revision_0002_says_which_release_it_needs(earlier: Database, place: Place) -> None:
    """The oldest release that may use the tables is read under the table's earlier name, too."""
    with earlier.transaction() as connection:
        connection.execute(sa.text("UPDATE house SET value = '99.0.0'"))

    with pytest.raises(SchemaFault, match=r"needs Vestibule 99\.0\.0 or later"):
        schema.upgrade(earlier, backups=place.backups, now=NOW)
