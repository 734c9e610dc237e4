"""What an upgrade on PostgreSQL says of the lock in its way, whatever holds it."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import sqlalchemy as sa

from service.services import Unavailable
from service.storage.engine.database import Database
from service.storage.engine.statement import Statement
from service.storage.upkeep import schema
from tests.rig.postgres import Postgres
from tests.rig.until import until
from tests.storage.place import LATER, upgrade_server
from tests.storage.stores import NOW, account, address_of, over
from tests.storage.upkeep.waiting import impatient, upgrading

__all__ = ["impatient"]

SLOW_VACUUM = """
ALTER TABLE accounts SET (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0,
                          autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)
"""
MANY = """
INSERT INTO accounts (id, username, created_at, display_name, email, is_admin)
SELECT n, n, 0, repeat('x', 500), '', false FROM generate_series(1, 500) n
"""
VACUUMS = Statement(sa.text("SELECT pid FROM pg_stat_progress_vacuum WHERE datname = current_database()"))


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


def test_an_upgrade_does_not_wait_for_a_standby_with_its_locks(
    own_postgresql: Database, postgres: Postgres, request: pytest.FixtureRequest
) -> None:
    """While a synchronous standby is away each commit waits; that of an upgrade would stop the session checks."""
    request.getfixturevalue("later_release")
    with ThreadPoolExecutor() as thread, closing(Database(address_of(own_postgresql))) as database:
        try:
            postgres.configure("synchronous_standby_names", "away")
            done = thread.submit(upgrade_server, database)
            until(done.done, "the upgrade ends")
        finally:
            postgres.configure("synchronous_standby_names", "")

    assert LATER in done.result()


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
