"""The database: which engine it is, how a statement or a transaction runs, and what counts as unreachable.

Connections are opened at first use in each process, so nothing is open when
workers are forked. Every failure of the driver is raised as `Unavailable`.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar, cast

import sqlalchemy as sa

from service.services import Unavailable
from service.storage.engine.statement import Row, Statement

_T = TypeVar("_T")
_SHOWN: Final = 200


class SchemaFault(Unavailable):
    """The database cannot be used as it is; the message says why and what to do. It was left as it is."""


class Engine(Protocol):
    """What SQLite and PostgreSQL each do in their own way."""

    sqlalchemy: sa.Engine
    failures: tuple[type[Exception], ...]

    def run(self, statement: Statement, values: dict[str, Any]) -> list[Row]:
        """Run one statement by itself on a connection of its own; its rows."""

    def run_on(self, connection: sa.Connection, statement: Statement, values: dict[str, Any]) -> list[Row]:
        """Run one statement inside the connection's transaction; its rows."""

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """Open a transaction that writes."""

    def wholesale(self) -> AbstractContextManager[sa.Connection]:
        """Open a transaction for statements over whole tables: no time limit, no foreign keys."""

    def remedy(self, failure: BaseException) -> str | None:
        """Return what is wrong and what to type, where it is the operator who can mend the failure."""

    def close(self) -> None:
        """Close the idle connections."""


class Rows(Protocol):
    """Where rows are: a database, or a file that is made anew when it is lost."""

    def run(self, statement: Statement, **values: Any) -> list[Row]:
        """Run one statement by itself; its rows. Raises Unavailable."""

    def within(self, work: Callable[["Database"], _T]) -> _T:
        """Return what `work` does in one transaction, in which no other transaction writes. Raises Unavailable."""


class Database:
    """One database, safe for threads and forks. `path` is the file of an SQLite database.

    With `durable=False` (SQLite only) a commit outlives the process, but not a power cut.
    """

    def __init__(
        self, address: str, *, named: str = "VESTIBULE_DATABASE_URL", durable: bool = True, connections: int = 16
    ) -> None:
        """Take `sqlite:///` and a path, read as it is written, or `postgresql://…` (`postgresql+psycopg://…`).

        To PostgreSQL each process opens so many `connections` at most; what it refuses names the place of the address.
        """
        self._make, self.path = _maker(address, named, durable=durable, connections=connections)
        self._engine: Engine | None = None
        self._inherited: Engine | None = None
        self._process = 0
        self._first = threading.Lock()
        self._local = threading.local()
        self.known_current = False

    @property
    def journal_mode(self) -> str | None:
        """How SQLite keeps its journal (`wal`, or `truncate` with a library that is not safe with that)."""
        from service.storage.engine.sqlite import journal_mode

        return journal_mode() if self.path else None

    @property
    def engine(self) -> Engine:
        """The engine of this process. One that was inherited through a fork is kept: neither used nor closed."""
        if self._process != os.getpid():
            with self._first:
                if self._process != os.getpid():
                    self._inherited, self._engine, self._local = self._engine, self._make(), threading.local()
                    self._process = os.getpid()
        return cast("Engine", self._engine)

    def run(self, statement: Statement, **values: Any) -> list[Row]:
        """Run one statement, in this thread's transaction when there is one; its rows. Raises Unavailable."""
        engine = self.engine
        connection = getattr(self._local, "connection", None)
        try:
            return engine.run(statement, values) if connection is None else engine.run_on(connection, statement, values)
        except engine.failures as failure:
            raise _unavailable(engine, failure) from failure

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a connection for statements that each stand alone; within a transaction, its own."""
        engine = self.engine
        connection = getattr(self._local, "connection", None)
        with _translated(engine), nullcontext(connection) if connection else engine.sqlalchemy.connect() as opened:
            yield opened

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """Make all that this thread does in the block one transaction; nested in another, it joins that one."""
        return self._joined(self.engine.transaction)

    def wholesale(self) -> AbstractContextManager[sa.Connection]:
        """Open a transaction for changes of whole tables: no time limit, no foreign keys. Nested, it joins as it is."""
        return self._joined(self.engine.wholesale)

    def within(self, work: Callable[["Database"], _T]) -> _T:
        with self.transaction():
            return work(self)

    def ping(self) -> bool:
        try:
            with self.reading() as connection:
                connection.exec_driver_sql("PRAGMA schema_version" if self.path else "SELECT 1").all()
        except Unavailable:
            return False
        return True

    def close(self) -> None:
        """Close this process's connections. The next use opens new ones."""
        if self._engine is not None and self._process == os.getpid():
            self._engine.close()

    @contextmanager
    def _joined(self, begin: Callable[[], AbstractContextManager[sa.Connection]]) -> Iterator[sa.Connection]:
        """Yield this thread's transaction, or begin one that is the thread's until the block ends."""
        mine = getattr(self._local, "connection", None)
        with _translated(self.engine), nullcontext(mine) if mine else begin() as connection:
            self._local.connection = connection
            try:
                yield connection
            finally:
                self._local.connection = mine


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    try:
        yield
    except engine.failures as failure:
        raise _unavailable(engine, failure) from failure


def _maker(address: str, named: str, *, durable: bool, connections: int) -> tuple[Callable[[], Engine], Path | None]:
    """Return what makes the engine, and the file when it is SQLite. Raises ValueError, without the address in it."""
    scheme, _, file = address.partition(":///")
    if scheme == "sqlite" and file not in {"", ":memory:"}:
        from service.storage.engine.sqlite import Sqlite

        path = Path(file).absolute()
        return lambda: Sqlite(path, durable=durable), path
    if address.startswith("postgresql"):
        from service.storage.engine.postgresql import Postgresql

        url = sa.make_url(address).set(drivername="postgresql+psycopg")
        return lambda: Postgresql(url, connections=connections, named=named), None
    raise ValueError("the database's address must begin with sqlite:/// or postgresql://")


def _unavailable(engine: Engine, failure: Exception) -> Unavailable:
    """Say what the driver said in one line, without statement and parameters: they hold hashes."""
    said = getattr(failure, "orig", None) or failure
    if remedy := engine.remedy(said):
        return SchemaFault(remedy)
    return Unavailable(f"the database: {(str(said).splitlines() or [type(said).__name__])[0][:_SHOWN]}")
