"""What `vestibule status` reads of the stores: all of it on each engine, and what it says of stores that are wrong."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from service.access.block_list import Block
from service.login.attempts import Limit, Scope, attempt_of
from service.login.audit import FROM_KNOWN_DEVICE, Entry, Happened
from service.services.store_state import SIGN_IN_SECONDS, SignIns, StoreState
from service.storage import store_state
from service.storage.audit import SqlAudit
from service.storage.blocks import SqlBlocks
from service.storage.counting.choose import choose
from service.storage.engine.database import Database
from service.storage.upkeep import last_backup, schema
from service.storage.upkeep.schema import HEAD, OLDEST_RELEASE
from service.storage.upkeep.server_locks import EXCLUSIVE
from tests.rig.postgres import Postgres
from tests.rig.redis import Redis
from tests.rig.until import until
from tests.storage.children import started
from tests.storage.place import LATER, Place
from tests.storage.stores import NOW, address_of

DAY: Final = 24 * 3600
THROTTLES: Final = {scope: Limit(50, 900) for scope in Scope}


def read(database: Database, *, redis: str | None = None, backups: Path = Path("nowhere")) -> StoreState:
    """Read the stores as they are NOW."""
    return store_state.read(database, redis=redis, backups=backups, throttles=THROTTLES, now=NOW)


def _tried(database: Database, *usernames: str, redis: str | None = None) -> None:
    chosen = choose(database, redis=redis)
    for name in usernames:
        tried = attempt_of(name, None, network="192.0.2.7/32", device=None, key=b"k")
        chosen.attempts.reserve(tried, THROTTLES, now=NOW)
    if redis:
        chosen.options["redis"].storage.close()


def test_everything_is_read(database: Database) -> None:
    """Sign-ins of the last quarter of an hour and of that a day before, attempts, blocks, tables, and the backup."""
    trail = SqlAudit(database, kept_seconds=9 * DAY)
    for at in (NOW - SIGN_IN_SECONDS, NOW - SIGN_IN_SECONDS + 1, NOW, NOW + 1, NOW - DAY):
        trail.add(Entry(at, Happened.SIGNED_IN, "alice"))
    for detail in (FROM_KNOWN_DEVICE, "", ""):
        trail.add(Entry(NOW - 5, Happened.SIGN_IN_REFUSED, "alice", detail=detail))
    trail.add(Entry(NOW - 5, Happened.SESSION_ENDED, "alice"))
    SqlBlocks(database).put(Block("198.51.100.0/24", NOW + 60, NOW))
    _tried(database, "alice", "bob", "bob")
    last_backup.note(database, NOW - 60)

    state = read(database)

    assert (state.sign_ins, state.sign_ins_day_before) == (SignIns(2, 3, 1), SignIns(1))
    assert state.networks
    assert state.accounts
    assert [(each.key, each.attempts) for each in state.networks] == [("192.0.2.7/32", 3)]
    assert [each.attempts for each in state.accounts] == [2, 1]
    assert (state.blocked, state.last_backup) == (1, NOW - 60)
    assert state.tables
    assert (state.tables.revision, state.tables.newest, state.tables.oldest_release) == (HEAD, HEAD, OLDEST_RELEASE)
    assert (state.database.fault, state.counters.fault, state.is_first_start) == (None, None, False)
    assert state.database.seconds > 0


def test_redis_away_is_said_and_costs_no_other_line(database: Database, redis: Redis) -> None:
    """Attempts that are counted in Redis are read there, and those in SQL while Redis is away."""
    _tried(database, "alice", redis=redis.address)
    with_redis = read(database, redis=redis.address)
    redis.stop()
    without = read(database, redis=redis.address)

    assert with_redis.networks
    assert (with_redis.networks[0].attempts, with_redis.counters.fault) == (1, None)
    assert without.networks == ()
    assert without.counters.fault == "no server listens on that port or socket; limits are counted in SQL"
    assert without.sign_ins == SignIns()


def test_a_replica_of_redis_is_a_fault(postgresql: Database, redis: Redis) -> None:
    """It answers a ping, and counts nothing."""
    redis.command("REPLICAOF", "127.0.0.1", "1")

    assert "read-only replica" in str(read(postgresql, redis=redis.address).counters.fault)


def test_a_database_without_tables_is_pending(postgres: Postgres) -> None:
    """Of a server's database that was just made the tables are missing, and nothing is made."""
    database = Database(postgres.new_database())

    state = read(database)

    assert state.tables
    assert (state.tables.revision, state.tables.are_pending, state.sign_ins) == (None, True, None)
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").scalar() == 0
    database.close()


def test_a_server_that_only_reads_is_a_fault(own_postgresql: Database) -> None:
    """After a failover to a standby every read works, and no person can sign in."""
    name = own_postgresql.engine.sqlalchemy.url.database
    with own_postgresql.reading() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    own_postgresql.close()

    state = read(own_postgresql)

    assert state.database.name.startswith("PostgreSQL ")
    assert state.database.fault == "it takes no writes: it is a standby, or read-only"


@pytest.mark.parametrize(
    ("table", "mode"),
    [("accounts", "SHARE"), ("sessions", EXCLUSIVE), ("audit", EXCLUSIVE), ("schema_info", EXCLUSIVE)],
)
def test_a_table_that_is_locked_is_a_fault(postgresql: Database, table: str, mode: str) -> None:
    """Whether reads wait too or writes alone, the line names the connection that holds the lock."""
    with postgresql.transaction() as shell:
        shell.exec_driver_sql("SET LOCAL application_name = 'a shell'")
        shell.exec_driver_sql(f"LOCK TABLE {table} IN {mode} MODE")
        pid = shell.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        state = read(Database(address_of(postgresql)))

    fault = str(state.database.fault)
    assert f"requests wait for the connection with process id {pid} (application a shell, " in fault
    assert fault.endswith(f", which holds a lock on {table}")
    assert (state.counters.fault, read(postgresql).database.fault) == (None, None)


def test_what_waits_for_a_table_stops_requests_too(postgresql: Database) -> None:
    """A change of a table waits for a long copy, and requests behind it: the line names what waits."""
    copying, changing = Database(address_of(postgresql)), Database(address_of(postgresql))
    with copying.wholesale() as copy, closing(changing), ThreadPoolExecutor() as beside:
        copy.exec_driver_sql("SELECT count(*) FROM accounts")
        changed = beside.submit(_change_accounts, changing)
        until(lambda: copy.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar() == 1, "it waits")
        state = read(Database(address_of(postgresql)))
        copy.exec_driver_sql("COMMIT")
        changed.result()
    copying.close()

    assert str(state.database.fault).endswith(", which waits for a lock on accounts")


def _change_accounts(database: Database) -> None:
    with database.wholesale() as connection:
        connection.exec_driver_sql(f"LOCK TABLE accounts IN {EXCLUSIVE} MODE")


def test_a_file_that_is_locked_is_a_fault(file_database: Database) -> None:
    """Where a forgotten shell holds a transaction no person can sign in, though everything can be read: it is named."""
    file = file_database.path
    with started(("occupy", str(file), "BEGIN IMMEDIATE")) as (shell,):
        assert shell.hear() == "in use"
        state, pid = read(file_database), shell.process.pid

    named = rf"it takes no writes: requests wait for the process {pid} \(\w+\), which holds a lock on {file}"
    assert re.fullmatch(named, str(state.database.fault))
    assert state.sign_ins == SignIns()
    assert read(file_database).database.fault is None


def test_a_server_that_is_away_is_a_fault(postgres: Postgres) -> None:
    """Its line has the reason; what could not be read is missing."""
    state = read(Database(postgres.address_of("nowhere")))

    assert 'has no database "nowhere"' in str(state.database.fault)
    assert (state.tables, state.sign_ins, state.networks) == (None, None, None)


def test_before_the_first_start_nothing_is_made(place: Place) -> None:
    """A state directory that is not there stays so."""
    state = read(Database(place.address), backups=place.backups)

    assert state.is_first_start
    assert "the first start of the service makes" in str(state.database.fault)
    assert not place.state_dir.exists()


def test_a_lost_file_is_no_first_start(place: Place) -> None:
    """Where there was a database, the line says how it comes back."""
    place.prepare()
    place.file.unlink()

    state = read(Database(place.address), backups=place.backups)

    assert not state.is_first_start
    assert "mount its volume or restore it" in str(state.database.fault)
    assert not place.file.exists()


def test_the_file_of_another_program_is_left_alone(place: Place) -> None:
    """Not even its journal is changed."""
    place.state_dir.mkdir()
    place.sql("CREATE TABLE theirs (id INTEGER)")
    before = place.file.read_bytes()

    state = read(Database(place.address), backups=place.backups)

    assert "tables that are not Vestibule's" in str(state.database.fault)
    assert place.file.read_bytes() == before


def test_an_older_file_is_not_migrated(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is pending, and stays as it was."""
    place.prepare().close()
    before = place.file.read_bytes()
    monkeypatch.setattr(schema, "HEAD", LATER)

    state = read(Database(place.address), backups=place.backups)

    assert state.tables
    assert (state.tables.revision, state.tables.are_pending) == (HEAD, True)
    assert place.file.read_bytes() == before
