"""PostgreSQL through psycopg: a small pool that follows its server when that restarts or moves, and bounds every wait.

Behind a pooler (PgBouncer in transaction mode) each transaction may run in another session of the server. There no
session setting survives or may be left behind: each transaction sets its own, in the same round trip.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, Final, cast

import psycopg
import sqlalchemy as sa
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util.queue import Empty

from service.storage.engine import server_faults
from service.storage.engine.names import Names
from service.storage.engine.statement import Parameters, Row, Statement
from service.storage.engine.timed_connection import TimedConnection

ANSWER_SECONDS: Final = 0.8
TRUSTED_SECONDS: Final = 1.0
AWAY_SECONDS: Final = 1.0
NAME_SECONDS: Final = 0.4


# Whether the session does not write, and was not opened a moment ago: until then the server's name led there.
_READS_FOR_LONG: Final = b"""
SELECT 1 FROM pg_stat_activity WHERE pid = pg_backend_pid() AND current_setting('transaction_read_only') = 'on'
AND backend_start < clock_timestamp() - make_interval(secs => %s)
"""


class _Pool(sa.QueuePool):
    """Where the server gives no further connection (its limit, a changed password), a request waits for an open one."""

    def _do_get(self) -> ConnectionPoolEntry:
        until = monotonic() + ANSWER_SECONDS
        try:
            return super()._do_get()
        except psycopg.OperationalError:
            left, opened = until - monotonic(), self.size() + self.overflow()
            if left > 0 and opened:
                with suppress(Empty):
                    return self._pool.get(block=True, timeout=left)
            raise


class Postgresql:
    """The pool of one process. Connections commit each statement by themselves unless a transaction is begun."""

    def __init__(self, url: sa.URL, *, connections: int, named: str) -> None:
        self.failures: tuple[type[Exception], ...] = (psycopg.Error, sa.exc.DBAPIError, sa.exc.TimeoutError)
        self._away_until, self._away_because = 0.0, ""
        self._names, self._named = Names(), named
        self._reached: str | None = None
        self.sqlalchemy = sa.create_engine(
            url,
            poolclass=_Pool,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=ANSWER_SECONDS,
            hide_parameters=True,
            use_native_hstore=False,
            pool_reset_on_return=None,  # a statement by itself leaves no transaction open, and `begin()` ends its own
        )
        sa.event.listen(self.sqlalchemy, "do_connect", self._connect)
        sa.event.listen(self.sqlalchemy, "checkout", self._check_alive)
        sa.event.listen(self.sqlalchemy, "checkin", _note_use)
        sa.event.listen(self.sqlalchemy, "begin", _begin)

    def run(self, statement: Statement, values: dict[str, Any]) -> list[Row]:
        """Once more on a new connection: a read when the first one was lost; a write when the server refused to write.

        A write whose connection was lost may have happened.
        """
        text, parameters = statement.bound(self.sqlalchemy.dialect, values)
        began = monotonic()
        try:
            return self._once(text, parameters)
        except psycopg.errors.ReadOnlySqlTransaction:
            if not self._leave_readers():
                raise
        except psycopg.OperationalError:
            if not statement.only_reads or monotonic() - began > ANSWER_SECONDS / 2:
                raise
        return self._once(text, parameters)

    def run_on(self, connection: sa.Connection, statement: Statement, values: dict[str, Any]) -> list[Row]:
        text, parameters = statement.bound(self.sqlalchemy.dialect, values)
        return _rows(_driver_of(connection).execute(text.encode(), parameters))

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        try:
            with self.sqlalchemy.execution_options(writes=True).begin() as connection:
                yield connection
        except Exception as failure:
            if isinstance(failure.__cause__, psycopg.errors.ReadOnlySqlTransaction):
                self._leave_readers()
            raise

    @contextmanager
    def wholesale(self) -> Iterator[sa.Connection]:
        with self.sqlalchemy.connect() as connection:
            _driver_of(connection).answer_seconds = None
            connection.detach()
            connection.execution_options(writes=True)
            with connection.begin():
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                yield connection

    def remedy(self, failure: BaseException) -> str | None:
        return server_faults.remedy(failure, self.sqlalchemy.url, self._named)

    def close(self) -> None:
        self.sqlalchemy.dispose()

    def _once(self, text: str, parameters: Parameters) -> list[Row]:
        pooled = self.sqlalchemy.raw_connection()
        connection = cast("TimedConnection", pooled.driver_connection)
        began = monotonic()
        try:
            if not connection.per_transaction:
                return _rows(connection.execute(text.encode(), parameters))
            with connection.pipeline():  # one transaction and one round trip
                connection.execute(connection.per_transaction)
                cursor = connection.execute(text.encode(), parameters)
            return _rows(cursor)
        except psycopg.Error as failure:
            # A server that shuts down may not have closed this connection yet, and the others to it are lost, too.
            if connection.closed or server_faults.is_leaving(failure):
                self._note_silence(began)
                pooled.invalidate(failure)
                self.sqlalchemy.dispose()
            raise
        finally:
            pooled.close()

    def _leave_readers(self) -> bool:
        """Whether sessions were left behind at a server that does not write; the pool is made anew then.

        PgBouncer would hand its session there to the next client. It ends one whose client goes within a transaction.
        """
        left, until = False, monotonic() + ANSWER_SECONDS / 2
        while monotonic() < until and self._left_one():
            left = True
        return left

    def _left_one(self) -> bool:
        pooled = self.sqlalchemy.raw_connection()
        connection = cast("TimedConnection", pooled.driver_connection)
        try:
            connection.execute(b"BEGIN")
            if connection.execute(_READS_FOR_LONG, (TRUSTED_SECONDS,)).fetchall():
                return True
            connection.execute(b"ROLLBACK")
            return False
        finally:
            if connection.pgconn.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                pooled.invalidate()
                self.sqlalchemy.dispose()
            pooled.close()

    def _connect(
        self, _dialect: object, _record: object, arguments: list[Any], keywords: dict[str, Any]
    ) -> TimedConnection:
        """Open a connection. After a failure no thread waits for another one for a second."""
        if monotonic() < self._away_until:
            raise psycopg.OperationalError(f"a moment ago: {self._away_because}")
        try:
            if "hostaddr" not in keywords:
                keywords |= self._resolved(str(keywords.get("host", "")), str(keywords.get("port", "")))
            connection = TimedConnection.open(ANSWER_SECONDS, *arguments, **keywords)
        except psycopg.OperationalError as failure:
            if failure.sqlstate is None:  # else the server took the connection, and ended just that one
                self._note_away(str(failure))
            raise
        self._reached = connection.info.hostaddr or connection.info.host
        return connection

    def _resolved(self, hosts: str, ports: str) -> dict[str, str]:
        """Return hosts and addresses as libpq takes them, an entry for each address: certificates are for the host.

        The server that was reached last is tried first: a dead one before it would cost each connection its share.
        """
        names, numbers, failure = hosts.split(","), ports.split(","), OSError()
        found: list[tuple[str, str, str]] = []
        for name, port in zip(names, numbers * len(names) if len(numbers) == 1 else numbers, strict=True):
            try:
                addresses = self._names.addresses(name, seconds=NAME_SECONDS)
            except OSError as unknown:
                failure = unknown
                continue
            found += [(name, "" if address == name else address, port) for address in addresses]
        if not found:
            raise psycopg.OperationalError(str(failure))
        found.sort(key=lambda each: self._reached not in each)
        return dict(zip(("host", "hostaddr", "port"), map(",".join, zip(*found, strict=True)), strict=True))

    def _check_alive(self, connection: TimedConnection, record: ConnectionPoolEntry, _pooled: object) -> None:
        """Test a connection that was idle for a second, or has news; when it is lost, all of the pool are made anew.

        So they are after a second at a server that only reads: its name may lead to the one that writes by now.
        """
        used_at, now = record.info.get("used_at"), monotonic()
        if used_at is None:
            return
        if now - connection.opened_at > TRUSTED_SECONDS and connection.only_reads():
            self._reached = None
            raise sa.exc.InvalidatePoolError
        if now - used_at < TRUSTED_SECONDS and not connection.has_news():
            return
        try:
            connection.execute("SELECT 1")
        except psycopg.Error as failure:
            self._note_silence(now)
            raise sa.exc.InvalidatePoolError from failure

    def _note_silence(self, asked: float) -> None:
        """When a server did not answer, no thread waits for a new connection: a request may ask more than once."""
        if monotonic() - asked > ANSWER_SECONDS / 2:
            self._note_away("the server did not answer in time")

    def _note_away(self, because: str) -> None:
        self._away_until, self._away_because = monotonic() + AWAY_SECONDS, because


def _driver_of(connection: sa.Connection) -> TimedConnection:
    return cast("TimedConnection", connection.connection.dbapi_connection)


def _rows(cursor: psycopg.Cursor[Row]) -> list[Row]:
    return [] if cursor.rownumber is None else cursor.fetchall()


def _note_use(_connection: object, record: ConnectionPoolEntry | None) -> None:
    if record is not None:
        record.info["used_at"] = monotonic()


def _begin(connection: sa.Connection) -> None:
    if connection.get_execution_options().get("writes"):
        driver = _driver_of(connection)
        driver.execute(b"BEGIN ISOLATION LEVEL READ COMMITTED;" + driver.per_transaction)
