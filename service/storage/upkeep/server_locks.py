"""The locks of an upgrade on PostgreSQL: taken in a moment or not at all, so that no request waits behind one.

A lock that waits in the server's queue has every later statement on that table wait behind it. So a table that an
open transaction holds (that of a copy such as pg_dump) is not asked for; only what ends in a moment is waited for.
"""

import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

import sqlalchemy as sa

from service.services import Unavailable
from service.storage.engine.database import Database
from service.storage.upkeep.lock_wait import Blocked

UPGRADE: Final = 0x56455354  # "VEST": the advisory lock under which tables change
EXCLUSIVE: Final = "ACCESS EXCLUSIVE"
_WAIT_MILLISECONDS: Final = 50
_LOOK_SECONDS: Final = 0.1  # a transaction that is seen twice in this time is not one of a request
_LOCK_NOT_AVAILABLE: Final = "55P03"

# While a step runs the server looks whether its client is there: else a killed client's locks stay until the step ends.
_WATCH_CLIENT: Final = "SET LOCAL client_connection_check_interval = '2s'"
_BEGIN: Final = f"""
SELECT set_config('lock_timeout', '{_WAIT_MILLISECONDS}', true),
       CASE current_setting('application_name') WHEN 'vestibule'
       THEN set_config('application_name', 'vestibule db upgrade', true) END,
       pg_try_advisory_xact_lock({UPGRADE})
"""
_HOLDERS: Final = """
SELECT l.virtualtransaction, l.pid, coalesce(l.relation::regclass::text, ''),
       CASE WHEN a.pid > 0 AND a.usesysid IS NULL THEN 'autovacuum' ELSE a.application_name END,
       coalesce(a.usename, p.owner), coalesce(host(a.client_addr), 'on this machine'), a.state,
       to_char(coalesce(a.xact_start, p.prepared) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
       'ROLLBACK PREPARED ' || quote_literal(p.gid), CASE WHEN l.granted THEN 'holds' ELSE 'waits for' END
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
     LEFT JOIN pg_locks x ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid'
               AND x.virtualtransaction = l.virtualtransaction
     LEFT JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
WHERE l.pid IS DISTINCT FROM pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND
"""
_OF_UPGRADE: Final = f"l.granted AND l.locktype = 'advisory' AND l.classid = 0 AND l.objid = {UPGRADE}"
# Weaker modes than ACCESS EXCLUSIVE let transactions go on that only read, and wait for all others.
_OF_TABLE: Final = (
    "l.granted AND l.relation = to_regclass(%(table)s) "
    "AND (%(exclusive)s OR l.mode NOT IN ('AccessShareLock', 'RowShareLock'))"
)
# A lock that is only waited for has writes wait behind it, too.
_STOPS_WRITES: Final = (
    "l.relation = to_regclass(%(table)s) "
    "AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')"
)
_TABLES: Final = """
SELECT oid, quote_ident(relname) FROM pg_class
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
"""
_HELD: Final = "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'"
# The modes that statements of requests, or another upgrade, wait for; the strongest last.
_FELT: Final = ("SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", EXCLUSIVE)


def begin_upgrade(connection: sa.Connection) -> None:
    """Make the transaction the one upgrade of this database. Raises Blocked while another one runs."""
    *_, is_ours = connection.exec_driver_sql(_BEGIN).one()
    if not is_ours:
        raise Blocked(f"another upgrade: {_described(_rows(connection, _OF_UPGRADE))}")
    with suppress(sa.exc.DBAPIError), connection.begin_nested():  # since PostgreSQL 14, not on every system
        connection.exec_driver_sql(_WATCH_CLIENT)


def take(connection: sa.Connection, locks: Mapping[str, str]) -> None:
    """Lock the tables, each in its mode, until the transaction ends. Raises Blocked, having waited for none."""
    if long := _long_holders(connection, locks):
        raise Blocked(_described(long))
    for table, mode in sorted(locks.items()):
        connection.exec_driver_sql(f"LOCK TABLE {table} IN {mode} MODE")


def blocked(failure: Unavailable, database: Database) -> Blocked | None:
    """Return who holds a lock on a table, whichever it is, when that is why the transaction failed."""
    said = getattr(failure.__cause__, "orig", None)
    if getattr(said, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
        return None
    with database.reading() as connection:
        names = tables(connection).values()
        return Blocked(_described(_long_holders(connection, dict.fromkeys(names, EXCLUSIVE))))


def test_writes(database: Database, tables: Iterable[str]) -> None:
    """Take and leave the locks of statements that write. Raises Unavailable when one cannot be had in time."""
    with database.transaction() as connection:
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(tables)} IN ROW EXCLUSIVE MODE")


def stops_writes(database: Database, tables: Iterable[str]) -> str | None:
    """Return the connection that statements which write to one of the tables wait for, where there is one."""
    with database.reading() as connection:
        found = [row for table in sorted(tables) for row in _rows(connection, _STOPS_WRITES, {"table": table})]
    return _described(sorted(found, key=lambda row: row[-1])) if found else None


def _long_holders(connection: sa.Connection, locks: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """Return the locks in the way whose transactions last longer than a request's."""
    before = _in_the_way(connection, locks)
    if not before:
        return []
    time.sleep(_LOOK_SECONDS)
    seen = {transaction for transaction, *_ in before}
    return [row for row in _in_the_way(connection, locks) if row[0] in seen]


def _in_the_way(connection: sa.Connection, locks: Mapping[str, str]) -> list[tuple[Any, ...]]:
    asked = [{"table": table, "exclusive": mode == EXCLUSIVE} for table, mode in sorted(locks.items())]
    return [row for each in asked for row in _rows(connection, _OF_TABLE, each)]


def _rows(connection: sa.Connection, which: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.exec_driver_sql(_HOLDERS + which, values)]


def _described(holders: list[tuple[Any, ...]]) -> str:
    """Say which connection holds which tables. What a server hides from this user is left out of the sentence."""
    if not holders:
        return "a lock that another connection held a moment ago"
    pid = holders[0][1]
    _, _, _, application, user, client, state, since, remedy, holds = holders[0]
    tables = sorted({row[2] for row in holders if row[1] == pid} - {""})
    held = f", which {holds} a lock on {', '.join(tables)}" if tables else ""
    if not pid:
        return f"a prepared transaction (user {user}, since {since}; it ends with {remedy};){held}"
    facts = [f"application {application}" if application else "", f"user {user}" if user else ""]
    facts += [f"client {client}", state, f"since {since}"] if since else ["the server hides the rest from this user"]
    return f"the connection with process id {pid} ({', '.join(filter(None, facts))}){held}"


def tables(connection: sa.Connection) -> dict[int, str]:
    """Return the tables by their object id, which a renamed one keeps."""
    return dict(map(tuple, connection.exec_driver_sql(_TABLES)))


def held(connection: sa.Connection, among: Mapping[int, str]) -> dict[str, str]:
    """Return the strongest lock that the transaction holds on each of the tables, unless all requests go beside it."""
    found: dict[str, str] = {}
    for number, mode in connection.exec_driver_sql(_HELD):
        spelt = _spelt(mode)
        if number in among and spelt in _FELT:
            found[among[number]] = max(found.get(among[number], spelt), spelt, key=_FELT.index)
    return found


def _spelt(mode: str) -> str:
    """Return a mode as it is written in statements: `ACCESS EXCLUSIVE` for AccessExclusiveLock."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", mode.removesuffix("Lock")).upper()
