"""PostgreSQL through psycopg: a small pool that notices a restart of the server and bounds every wait.

Behind a pooler (PgBouncer in transaction mode) each transaction may run in another session of the server. There no
session setting survives or may be left behind: each transaction sets its own, in the same round trip.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from typing import Any, Final, Self, TypeVar, cast

import psycopg
import sqlalchemy as sa
from psycopg.abc import PQGen, PQGenConn
from sqlalchemy.pool import ConnectionPoolEntry

from service.storage.engine import server_faults
from service.storage.engine.names import Names
from service.storage.engine.statement import Parameters, Row, Statement

ANSWER_SECONDS: Final = 0.8
SERVER_MILLISECONDS: Final = 700
TRUSTED_SECONDS: Final = 1.0
AWAY_SECONDS: Final = 1.0
NAME_SECONDS: Final = 0.4
_CONNECTIONS: Final = 16
_RV = TypeVar("_RV")


def _settings(*, local: str) -> bytes:
    """Return a statement that sets, for its transaction or for the session, what the server must do.

    The server gives up before the client does, and an acknowledged change is on disk even where its default differs.
    """
    return f"""
SELECT pg_backend_pid(), set_config('statement_timeout', '{SERVER_MILLISECONDS}', {local}),
       set_config('idle_in_transaction_session_timeout', '10000', {local}),
       CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', {local}) END
""".encode()


_connecting: Final = threading.local()  # `until`: when this thread gives up connecting


class TimedConnection(psycopg.Connection[Row]):
    """A connection that ends when the server does not answer in time (a stopped one still accepts packets)."""

    answer_seconds: float | None = ANSWER_SECONDS
    per_transaction = b""  # the settings of each transaction, where a pooler keeps none for the session

    def wait(self, gen: PQGen[_RV], interval: float = 0.1, timeout: float | None = None) -> _RV:
        """Wait for the server's answer; past its time the connection is closed, and OperationalError raised."""
        try:
            return super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[Self]:
        """Connect within the same time: the library itself waits two seconds at least, for each address."""
        steps = super()._connect_gen(conninfo)
        try:
            step = next(steps)
            while True:
                ready = yield step
                if monotonic() > _connecting.until:
                    steps.close()
                    raise psycopg.OperationalError("the server took too long to accept the connection")
                step = steps.send(ready)
        except StopIteration as done:
            return cast("Self", done.value)


class Postgresql:
    """The pool of one process. Connections commit each statement by themselves unless a transaction is begun."""

    def __init__(self, url: sa.URL) -> None:
        self.failures: tuple[type[Exception], ...] = (psycopg.Error, sa.exc.DBAPIError, sa.exc.TimeoutError)
        self._away_until = 0.0
        self._names = Names()
        self.sqlalchemy = sa.create_engine(
            url,
            pool_size=_CONNECTIONS,
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
        """A read that met a connection lost in the meantime is tried once more; a write could happen twice."""
        text, parameters = statement.bound(self.sqlalchemy.dialect, values)
        began = monotonic()
        try:
            return self._once(text, parameters)
        except psycopg.OperationalError:
            if not statement.only_reads or monotonic() - began > ANSWER_SECONDS / 2:
                raise
        return self._once(text, parameters)

    def run_on(self, connection: sa.Connection, statement: Statement, values: dict[str, Any]) -> list[Row]:
        text, parameters = statement.bound(self.sqlalchemy.dialect, values)
        return _rows(_driver_of(connection).execute(text.encode(), parameters))

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        return self.sqlalchemy.execution_options(writes=True).begin()

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
        return server_faults.remedy(failure, self.sqlalchemy.url)

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
            if connection.closed or isinstance(failure, psycopg.errors.AdminShutdown):
                self._note_silence(began)
                pooled.invalidate(failure)
                self.sqlalchemy.dispose()
            raise
        finally:
            pooled.close()

    def _connect(
        self, _dialect: object, _record: object, arguments: list[Any], keywords: dict[str, Any]
    ) -> TimedConnection:
        """Open a connection. After a failure no thread waits for another one for a second."""
        if monotonic() < self._away_until:
            raise psycopg.OperationalError("the server could not be reached a moment ago")
        _connecting.until = monotonic() + ANSWER_SECONDS
        keywords.setdefault("fallback_application_name", "vestibule")
        try:
            if "hostaddr" not in keywords:
                keywords |= self._resolved(str(keywords.get("host", "")), str(keywords.get("port", "")))
            return _set_up(TimedConnection.connect(*arguments, autocommit=True, prepare_threshold=None, **keywords))
        except psycopg.OperationalError:
            self._away_until = monotonic() + AWAY_SECONDS
            raise

    def _resolved(self, hosts: str, ports: str) -> dict[str, str]:
        """Return hosts and addresses as libpq takes them, an entry for each address: certificates are for the host."""
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
        return dict(zip(("host", "hostaddr", "port"), map(",".join, zip(*found, strict=True)), strict=True))

    def _check_alive(self, connection: TimedConnection, record: ConnectionPoolEntry, _pooled: object) -> None:
        """Test a connection that was idle for a second; when it is lost, all of the pool are made anew."""
        now = monotonic()
        if now - record.info.get("used_at", now) < TRUSTED_SECONDS:
            return
        try:
            connection.execute("SELECT 1")
        except psycopg.Error as failure:
            self._note_silence(now)
            raise sa.exc.InvalidatePoolError from failure

    def _note_silence(self, asked: float) -> None:
        """When a server did not answer, no thread waits for a new connection: a request may ask more than once."""
        if monotonic() - asked > ANSWER_SECONDS / 2:
            self._away_until = monotonic() + AWAY_SECONDS


def _set_up(connection: TimedConnection) -> TimedConnection:
    """Set the session up; each transaction instead where a pooler answers, which invents the process id it tells."""
    told = connection.info.backend_pid
    ((pid, *_),) = connection.execute(_settings(local=f"pg_backend_pid() <> {told}")).fetchall()
    if pid != told:
        connection.per_transaction = _settings(local="true")
    return connection


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
