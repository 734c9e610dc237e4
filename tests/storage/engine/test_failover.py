"""A database that moves: its name leads to a standby now, and to the server that writes a moment later.

Directly, and through PgBouncer, which keeps sessions at the old server for other clients.
"""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from service.login.accounts import Account
from service.login.attempts import Limit, Scope
from service.services import Unavailable
from service.storage import store_state
from service.storage.engine import postgresql as engine
from service.storage.engine.database import Database
from service.storage.engine.statement import Statement
from tests.rig import haproxy
from tests.rig.certificate import make as make_certificate
from tests.rig.haproxy import Haproxy
from tests.rig.pgbouncer import PgBouncer, pooling
from tests.rig.postgres import Postgres
from tests.rig.postgres import running as running_postgres
from tests.rig.standby import Standby, standby_of
from tests.rig.until import until
from tests.storage.place import upgrade_server
from tests.storage.stores import Stores, account, over, session

_IS_STANDBY = Statement(sa.select(sa.func.pg_is_in_recovery()))


@dataclass(frozen=True)
class Servers:
    """A server that writes, one that follows it, and the name that leads to either."""

    writer: Postgres
    reader: Standby
    name: Haproxy
    pooler: PgBouncer
    address: str

    def sessions_at_reader(self) -> int:
        """Return how many sessions clients have at the standby, and the one that asks is not among them."""
        client = "SELECT count(*) FROM pg_stat_activity WHERE client_addr IS NOT NULL AND datname <> 'postgres'"
        return int(self.reader.value(client))


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """The servers of this file."""
    with ExitStack() as stack:
        writer = stack.enter_context(running_postgres())
        reader = stack.enter_context(standby_of(writer))
        name = stack.enter_context(haproxy.leading_to(writer.port))
        pooler = stack.enter_context(pooling(writer, "transaction", through=name.port))
        with closing(Database(address := writer.new_database())) as database:
            upgrade_server(database)
        yield Servers(writer, reader, name, pooler, address)


@pytest.fixture(params=["direct", "pooled"])
def database(servers: Servers, request: pytest.FixtureRequest) -> Iterator[Database]:
    """The database by the name, which leads to the server that writes."""
    servers.name.move(servers.writer.port, cut=True)
    lead = servers.pooler.to if request.param == "pooled" else servers.name.address
    with closing(Database(lead(servers.address))) as database:
        until(database.ping, "the database answers")
        yield database


@pytest.fixture
def stores(database: Database) -> Stores:
    """The stores over the database."""
    return over(database)


@pytest.fixture
def alice(servers: Servers, database: Database, stores: Stores) -> Account:
    """An account, and from now on the name leads to the standby, where connections are open."""
    stores.accounts.add(alice := account(f"alice-{uuid.uuid4().hex}"))
    until(servers.reader.follows, "the standby has the account")
    servers.name.move(servers.reader.port, cut=True)
    until(lambda: database.run(_IS_STANDBY) == [(True,)], "the name leads to the standby")
    return alice


@pytest.fixture
def alice_on_old_connections(alice: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """As `alice`, and every connection counts as opened more than a second ago."""
    monkeypatch.setattr(engine, "TRUSTED_SECONDS", 0)
    return alice


def test_a_standby_answers_reads_and_refuses_writes(stores: Stores, alice: Account) -> None:
    """While the name leads to a standby, session checks go on; a change is refused in words, and nothing is kept."""
    with pytest.raises(Unavailable, match="takes no writes"):
        stores.sessions.add(session(alice.id))
    with pytest.raises(Unavailable, match="takes no writes"), stores.transaction():
        stores.sessions.add(session(alice.id))

    assert stores.sessions.of_account(alice.id) == []


@pytest.mark.usefixtures("alice")
def test_the_state_of_a_standby_is_one_fault(database: Database) -> None:
    """A standby cannot read the attempts, whose table is not logged: that is no second fault."""
    throttles = {scope: Limit(1, 60) for scope in Scope}
    state = store_state.read(database, redis=None, backups=Path("nowhere"), throttles=throttles, now=60)

    assert (state.database.fault, state.counters.fault) == ("it takes no writes: it is a standby, or read-only", None)
    assert state.sign_ins


def test_a_refused_write_reaches_the_server_that_writes(
    servers: Servers, stores: Stores, alice_on_old_connections: Account
) -> None:
    """Once the name has moved, the first change succeeds, once: the standby has done nothing when it refuses."""
    servers.name.move(servers.writer.port)
    stores.sessions.add(kept := session(alice_on_old_connections.id))

    assert stores.sessions.of_account(alice_on_old_connections.id) == [kept]


def test_at_most_one_transaction_is_refused(
    servers: Servers, stores: Stores, alice_on_old_connections: Account
) -> None:
    """Statements before the refused one could have shown other rows: the caller is refused, and the next succeeds."""
    servers.name.move(servers.writer.port)
    for kept in (session(alice_on_old_connections.id), session(alice_on_old_connections.id)):
        try:
            with stores.transaction():
                stores.sessions.add(kept)
        except Unavailable:
            assert stores.sessions.of_account(alice_on_old_connections.id) == []

    assert kept in stores.sessions.of_account(alice_on_old_connections.id)


@pytest.mark.usefixtures("alice_on_old_connections")
@pytest.mark.parametrize("database", ["direct"], indirect=True)
def test_reads_follow_the_name(servers: Servers, database: Database) -> None:
    """A standby that no longer follows would show ended sessions: without any write, too, reads leave it."""
    servers.name.move(servers.writer.port)

    assert database.run(_IS_STANDBY) == [(False,)]


def test_no_session_stays_at_the_old_server(
    servers: Servers, stores: Stores, alice_on_old_connections: Account
) -> None:
    """PgBouncer would keep its sessions there for an hour, and hand them to clients that only read."""
    assert servers.sessions_at_reader() > 0

    servers.name.move(servers.writer.port)
    stores.sessions.add(session(alice_on_old_connections.id))

    until(lambda: servers.sessions_at_reader() == 0, "no session is left at the old server")


@pytest.mark.parametrize("database", ["direct"], indirect=True)
def test_a_changed_certificate_closes_nothing(servers: Servers, database: Database, tmp_path: Path) -> None:
    """With both authorities in `sslrootcert`, no connection notices the change; the file is read for each new one."""
    data, trusted = servers.writer.directory / "data", tmp_path / "trusted.pem"
    before = (data / "certificate.pem").read_text()
    trusted.write_text(before)
    address = servers.writer.encrypted(servers.address, "localhost").replace(
        quote(str(data / "certificate.pem")), str(trusted)
    )
    with closing(Database(address)) as opened, closing(Database(address)) as later:
        assert opened.ping()
        certificate, key = make_certificate(tmp_path, "localhost")
        (data / "certificate.pem").write_text(certificate.read_text())
        (data / "key.pem").write_text(key.read_text())
        database.run(Statement(sa.select(sa.func.pg_reload_conf())))
        until(lambda: not later.ping(), "the server shows its new certificate, which is not trusted")

        trusted.write_text(before + certificate.read_text())
        until(later.ping, "new connections trust both")
        assert opened.ping()


@pytest.mark.parametrize("database", ["pooled"], indirect=True)
def test_a_pooler_that_was_restarted_costs_no_change(servers: Servers, stores: Stores) -> None:
    """The connections that its end closed are noticed before a change is sent on them."""
    stores.accounts.add(alice := account(f"alice-{uuid.uuid4().hex}"))

    servers.pooler.stop()
    servers.pooler.start(servers.writer)
    stores.sessions.add(kept := session(alice.id))

    assert stores.sessions.of_account(alice.id) == [kept]
