"""A connection to PostgreSQL that bounds every wait, and knows what the server says of itself."""

import select
import threading
from time import monotonic
from typing import Any, Final, Self, TypeVar, cast

import psycopg
from psycopg.abc import PQGen, PQGenConn

from service.storage.engine.statement import Row

SERVER_MILLISECONDS: Final = 700
# A migration has no time limit: its wait ends within a minute where the server's machine is gone.
_DEFAULTS: Final[dict[str, Any]] = {
    "fallback_application_name": "vestibule",
    "client_encoding": "UTF8",  # whatever the database has, or PGCLIENTENCODING says
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "tcp_user_timeout": 60_000,
}
_RV = TypeVar("_RV")
_connecting: Final = threading.local()  # `until`: when this thread gives up connecting; `servers`: yet to be tried


def _settings(*, local: str) -> bytes:
    """Return a statement that sets, for its transaction or for the session, what the server must do.

    The server gives up before the client does, and an acknowledged change is on disk even where its default differs.
    """
    return f"""
SELECT pg_backend_pid(), set_config('statement_timeout', '{SERVER_MILLISECONDS}', {local}),
       set_config('idle_in_transaction_session_timeout', '10000', {local}),
       CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', {local}) END
""".encode()


class TimedConnection(psycopg.Connection[Row]):
    """A connection that ends when the server does not answer in time (a stopped one still accepts packets)."""

    answer_seconds: float | None = None
    opened_at = 0.0
    per_transaction = b""  # the settings of each transaction, where a pooler keeps none for the session

    @classmethod
    def open(cls, seconds: float, *arguments: Any, **keywords: Any) -> Self:
        """Connect within the time for each answer, and set the session up; each transaction where a pooler answers.

        A pooler invents the process id that it tells.
        """
        _connecting.until = monotonic() + seconds
        _connecting.servers = str(keywords.get("hostaddr") or keywords.get("host", "")).count(",") + 1
        connection = cls.connect(*arguments, autocommit=True, prepare_threshold=None, **(_DEFAULTS | keywords))
        connection.opened_at, connection.answer_seconds = monotonic(), seconds
        told = connection.info.backend_pid
        ((pid, *_),) = connection.execute(_settings(local=f"pg_backend_pid() <> {told}")).fetchall()
        if pid != told:
            connection.per_transaction = _settings(local="true")
        return connection

    def wait(self, gen: PQGen[_RV], interval: float = 0.1, timeout: float | None = None) -> _RV:
        """Wait for the server's answer; past its time the connection is closed, and OperationalError raised."""
        try:
            return super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)
        except psycopg.OperationalError as failure:
            if self.pgconn.transaction_status != psycopg.pq.TransactionStatus.ACTIVE:
                raise
            self.pgconn.finish()
            raise psycopg.OperationalError("the server did not answer in time") from failure

    def has_news(self) -> bool:
        """Whether the server sent something that no statement asked for: most often that it closes the connection."""
        look = select.poll()
        look.register(self.fileno(), select.POLLIN)
        return bool(look.poll(0))

    def only_reads(self) -> bool:
        """Whether the server says that it is a standby, or takes reads alone. No pooler says so."""
        told = self.pgconn.parameter_status
        return not self.per_transaction and b"on" in {told(b"in_hot_standby"), told(b"default_transaction_read_only")}

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[Self]:
        """Connect within its time: the library itself waits two seconds at least, for each address.

        One of several servers takes its share of the time at most: a dead one would leave nothing to the others.
        """
        steps = super()._connect_gen(conninfo)
        until = monotonic() + (_connecting.until - monotonic()) / max(_connecting.servers, 1)
        _connecting.servers -= 1
        try:
            step = next(steps)
            while True:
                ready = yield step
                if monotonic() > until:
                    steps.close()
                    raise psycopg.OperationalError("the server took too long to accept the connection")
                step = steps.send(ready)
        except StopIteration as done:
            return cast("Self", done.value)
