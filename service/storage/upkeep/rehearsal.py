"""The steps that are missing, run on a copy of the database: how long each takes, and what it locks meanwhile."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast

import sqlalchemy as sa

from service.services.upkeep import Rehearsal, RehearsedStep
from service.storage.engine.database import Database, SchemaFault
from service.storage.upkeep import schema, server_locks
from service.storage.upkeep.copies import BadCopy, copy
from service.storage.upkeep.file_checks import exclusively
from service.storage.upkeep.revision import revision_of
from service.storage.upkeep.steps import Steps

Say = Callable[[str], None]
_FOLDER: Final = "-rehearsal"  # after the name of the file: it is emptied
_AT_ONCE: Final = 1000  # rows: each by itself takes twice the time
# In any schema: the service's own database is refused for a user who does not see its tables, too.
_HAS_TABLES: Final = (
    "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema'))"
)
# One state of all tables; no time limits, for the copying of a large table, except for the wait for its lock.
_BEGIN_READING: Final = (
    b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0;"
    b"SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '10s'"
)


def rehearse(database: Database, into: Database | None, *, now: int, say: Say) -> Rehearsal:
    """Run the missing steps on a copy: of a file beside it, of a server's database in the empty one `into`.

    Raises SchemaFault, Unavailable. The copy of a file is removed; that in `into` stays.
    """
    with database.reading() as connection:
        before = revision_of(connection)
    if before is None:
        raise SchemaFault(
            "the database has no tables yet, so there is nothing to rehearse: type `vestibule db upgrade`"
        )
    if before >= schema.HEAD:
        return Rehearsal(before, schema.HEAD, (), {})
    if into is None:
        with _copied_file(cast("Path", database.path), now=now, say=say) as copied:
            return _run(copied, before, say)
    with closing(into):
        _copy_server(database, into, before, say)
        return _run(into, before, say)


def _run(copied: Database, before: str, say: Say) -> Rehearsal:
    """Run each step in a transaction of its own, so that its locks are seen by themselves."""
    steps, done = schema.missing_steps(before), []
    for revision in steps.revisions:
        began = time.monotonic()
        with copied.wholesale() as connection:
            tables = server_locks.tables(connection) if copied.path is None else {}
            steps.run(connection, revision)
            locks = server_locks.held(connection, tables) if tables else {"the whole file": "writing"}
        done.append(RehearsedStep(revision, time.monotonic() - began, locks))
        say(f"step {revision}: {done[-1].seconds:.2f} s")
    with copied.reading() as connection:
        names = [name for name in sa.inspect(connection).get_table_names() if name != "alembic_version"]
        counts = sa.union_all(
            *(sa.select(sa.literal(name), sa.func.count()).select_from(sa.table(name)) for name in names)
        )
        rows = {str(name): int(count) for name, count in connection.execute(counts)}
    return Rehearsal(before, schema.HEAD, tuple(done), rows)


@contextmanager
def _copied_file(file: Path, *, now: int, say: Say) -> Iterator[Database]:
    """Copy an SQLite file into a folder beside it, which is removed; what an earlier rehearsal left there, too."""
    folder = file.with_name(file.name + _FOLDER)
    with exclusively(folder):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            made = copy(file, folder, label="rehearsal", now=now)
            say(f"copied {file}: {made.stat().st_size / 1_000_000:,.1f} MB")
            with closing(Database(f"sqlite:///{made}")) as copied:
                yield copied
        except BadCopy as fault:
            raise SchemaFault(f"nothing was rehearsed: {file} could not be copied ({fault})") from fault
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _copy_server(database: Database, into: Database, before: str, say: Say) -> None:
    """Make the tables of the revision in an empty database, and fill them."""
    with database.reading() as source:
        if source.exec_driver_sql("SELECT pg_is_in_recovery()").scalar():
            raise SchemaFault(
                "the database is a standby, which has no counters (unlogged tables): give the address of the primary"
            )
    with into.wholesale() as target:
        if target.exec_driver_sql(_HAS_TABLES).scalar() or revision_of(target):
            raise SchemaFault("the database of --into has tables already: make an empty one, with CREATE DATABASE")
        Steps(schema.MIGRATIONS, None, before).run(target, before)
        (made := sa.MetaData()).reflect(target)
        with database.reading() as source:
            source.detach()
            reader, writer = (each.connection.dbapi_connection for each in (source, target))
            _copy_tables(reader, writer, [each for each in made.sorted_tables if each.name != "alembic_version"], say)


def _copy_tables(reader: Any, writer: Any, tables: list[sa.Table], say: Say) -> None:  # noqa: ANN401 - the driver's
    reader.answer_seconds = None
    reader.execute(_BEGIN_READING)
    for table in tables:
        columns = f"{table.name} ({', '.join(column.name for column in table.columns)})"
        with reader.cursor() as out, writer.cursor() as filled:
            with out.copy(f"COPY {columns} TO STDOUT") as rows, filled.copy(f"COPY {columns} FROM STDIN") as written:
                while some := b"".join(map(bytes, islice(rows, _AT_ONCE))):
                    written.write(some)
            say(f"copied {table.name}: {filled.rowcount:,} rows")
    reader.execute("ROLLBACK")
