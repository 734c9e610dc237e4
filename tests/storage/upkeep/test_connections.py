"""How many connections workers open to PostgreSQL, and what a start says of them."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import sqlalchemy as sa

from service.storage.engine.database import Database
from service.storage.engine.statement import Statement
from service.storage.upkeep import connections
from tests.rig.postgres import Postgres
from tests.rig.servers import prepared
from tests.storage.stores import address_of


def test_no_more_are_opened_than_the_setting_says(postgres: Postgres, own_postgresql: Database) -> None:
    """Sixteen threads share two connections."""
    own_postgresql.close()
    with closing(Database(address_of(own_postgresql), connections=2)) as database, ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda _: database.run(Statement(sa.text("SELECT pg_sleep(0.01)"))), range(32)))

        assert postgres.connections(address_of(own_postgresql)) == 2


@pytest.mark.parametrize(("workers", "each", "warned"), [(2, 14, False), (2, 15, True), (29, 1, True)])
def test_more_than_half_of_the_servers_is_said(postgresql: Database, *, workers: int, each: int, warned: bool) -> None:
    """57 of the server's 60 are for its users: with 29 a second start, as in an upgrade, may find too few."""
    said = "".join(connections.warnings(postgresql, workers, each))

    assert (f"{workers * each} connections" in said and "which has 57" in said) is warned


def test_a_pooler_a_file_and_a_server_that_is_away_are_not_counted(pooled: Database, sqlite_file: Database) -> None:
    """Behind PgBouncer its own limits count; SQLite has none; of a server that does not answer another line tells."""
    away = Database("postgresql://vestibule@127.0.0.1:1/vestibule")

    assert [list(connections.warnings(each, 99, 99)) for each in (pooled, sqlite_file, away)] == [[], [], []]


def test_a_start_says_so(postgres: Postgres) -> None:
    """The service's log has the sentence, with the setting's number."""
    with prepared(workers=4, DATABASE_URL=postgres.new_database(), SERVER__DATABASE_CONNECTIONS="9") as servers:
        servers.start_gunicorn()
        servers.wait_until(lambda: "4 workers may open 36 connections" in servers.log("gunicorn"), "the start says so")
