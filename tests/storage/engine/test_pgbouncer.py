"""PgBouncer in transaction mode: each transaction may run in another session of the server, and none keeps anything."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from service.storage.engine.database import Database, SchemaFault
from service.storage.engine.statement import Statement
from service.storage.upkeep import schema
from tests.rig.pgbouncer import POOL_SIZE, pooling
from tests.rig.postgres import Postgres
from tests.storage.children import together
from tests.storage.stores import account, address_of, over

_SETTINGS = Statement(sa.text("SELECT name FROM pg_settings WHERE source = 'session' ORDER BY name"))
_PREPARED = Statement(sa.text("SELECT count(*) FROM pg_prepared_statements"))
_LOCKS = Statement(sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))


@pytest.fixture
def statement_pooled(postgres: Postgres) -> Iterator[Database]:
    """An empty database behind a PgBouncer that pools statements."""
    address = postgres.new_database()
    with pooling(postgres, "statement") as pooler:
        database = Database(pooler.to(address))
        yield database
        database.close()


def test_each_client_reads_its_own_rows(pooled: Database) -> None:
    """Four processes of eight threads read and write through three connections: none meets another's statement."""
    stores = over(pooled)
    people = [account(f"person-{number}") for number in range(4)]
    for one in people:
        stores.accounts.add(one)

    wrong = together(*[("read_and_write", address_of(pooled), one.id, 25) for one in people])

    assert wrong == [[]] * len(people)


def test_nothing_stays_in_a_pooled_session(pooled: Database) -> None:
    """After all kinds of work no session of the server has a setting, a prepared statement or a lock of the service."""
    stores = over(pooled)
    stores.accounts.add(alice := account())
    together(*[("read_and_write", address_of(pooled), alice.id, 10)] * POOL_SIZE)

    left = [
        (pooled.run(statement), pooled.within(lambda _, of=statement: pooled.run(of)))  # type: ignore[misc]
        for statement in (_PREPARED, _LOCKS)
    ]
    with pooled.reading() as connection:
        settings = [name for (name,) in connection.exec_driver_sql(str(_SETTINGS._clause)).all()]

    assert left == [([(0,)], [(0,)])] * 2
    assert not {"statement_timeout", "lock_timeout", "synchronous_commit", "default_transaction_isolation"} & {
        *settings
    }


def test_statement_pooling_is_refused_by_name(statement_pooled: Database) -> None:
    """Without transactions there is no exact limit: the start is refused and names the line of PgBouncer's file."""
    with pytest.raises(SchemaFault, match="pool_mode = transaction"):
        schema.prepare(statement_pooled, backups=None, now=0)  # type: ignore[arg-type]
