"""PostgreSQL takes connections and says nothing."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import cast

import psycopg
import pytest
import sqlalchemy as sa

from service.services import Unavailable
from service.settings import stores as settings
from service.storage.accounts import accounts
from service.storage.engine import timed_connection
from service.storage.engine.database import Database
from service.storage.engine.statement import Statement
from tests.rig.postgres import Postgres, name_of
from tests.rig.until import until
from tests.storage.stores import account, address_of, over


@pytest.mark.parametrize("connected", [True, False])
def test_a_server_that_says_nothing_is_given_up(postgres: Postgres, postgresql: Database, *, connected: bool) -> None:
    """A hung server takes connections and answers nothing: each caller is told so, and soon no caller waits."""
    stores = over(postgresql)
    stores.accounts.add(alice := account())
    if not connected:
        postgresql.close()

    postgres.pause()
    try:
        with ThreadPoolExecutor(8) as callers:
            told = list(callers.map(lambda _: postgresql.ping(), range(32)))
    finally:
        postgres.resume()

    assert told == [False] * 32
    until(postgresql.ping, "the pool is well again")
    assert alice == stores.accounts.by_id(alice.id)


def test_one_request_waits_once_for_a_server_that_says_nothing(postgres: Postgres, postgresql: Database) -> None:
    """What a request asks after a statement without an answer is refused without asking the server again."""
    count = Statement(sa.select(sa.func.count()).select_from(accounts))
    postgresql.run(count)

    postgres.pause()
    try:
        with pytest.raises(Unavailable, match="the server did not answer in time"):
            postgresql.run(count)
        with pytest.raises(Unavailable, match="a moment ago: the server did not answer in time"):
            postgresql.run(count)
    finally:
        postgres.resume()


def test_a_silent_server_leaves_time_for_the_next_one(postgres: Postgres) -> None:
    """Of several hosts the first may be a dead machine: a request reaches the next one, and others ask only that."""
    name = name_of(postgres.new_database())
    with socket.create_server(("127.0.0.2", 0)) as silent:
        hosts = f"127.0.0.2:{silent.getsockname()[1]},127.0.0.1:{postgres.port}"
        address = settings.DATABASE.read(f"postgresql://vestibule@{hosts}/{name}").reveal()
        silent.settimeout(0)
        with closing(Database(address)) as database:
            assert database.ping()
            silent.accept()[0].close()
            database.close()
            assert database.ping()
            with pytest.raises(BlockingIOError):
                silent.accept()


def test_a_migration_ends_where_the_machine_of_the_server_is_gone(postgres: Postgres, postgresql: Database) -> None:
    """A statement over whole tables has no time limit: the system asks for signs of life from the other side."""
    with (
        closing(Database(postgres.over_tcp(address_of(postgresql)))) as database,
        database.wholesale() as migration,
    ):
        driver = cast("psycopg.Connection", migration.connection.dbapi_connection)
        with socket.socket(fileno=os.dup(driver.fileno())) as opened:
            seconds = opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            milliseconds = opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    assert (seconds, milliseconds) == (30, 60_000)


def test_a_session_that_ends_at_its_begin_keeps_no_request_waiting(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator ends all sessions, a new one among them: the server is not away, and the read asks again at once."""
    texts = [b"SELECT pg_terminate_backend(pg_backend_pid())", timed_connection._settings(local="false")]
    monkeypatch.setattr(timed_connection, "_settings", lambda **_: texts.pop(0))
    postgresql.close()

    assert postgresql.run(Statement(sa.select(sa.func.count()).select_from(accounts))) == [(0,)]
    assert texts == []
