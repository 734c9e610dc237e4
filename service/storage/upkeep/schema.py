"""Whether a database is undamaged and of this release; and its migration to this release.

An SQLite file is brought up to date at start, one process at a time, after a checked copy was kept. On
PostgreSQL that is `vestibule db upgrade`. Alembic is imported only when there is something to do. A
database that is damaged, another program's or too new stops the start; it is never replaced.
"""

import logging
import shlex
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from service.services import Unavailable
from service.storage.engine import sqlite
from service.storage.engine.database import Database, SchemaFault
from service.storage.upkeep import file_locks, server_locks
from service.storage.upkeep.copies import BadCopy, copy
from service.storage.upkeep.file_checks import DatabaseFile, exclusively
from service.storage.upkeep.lock_wait import WAIT_SECONDS, Blocked, LockWait
from service.storage.upkeep.revision import revision_of, schema_info

if TYPE_CHECKING:
    from service.storage.upkeep.steps import Steps

__all__ = ["HEAD", "SchemaFault", "pending", "prepare", "upgrade"]

HEAD: Final = "0004"
# What is written into the database together with HEAD: releases before this one cannot use its tables.
OLDEST_RELEASE: Final = "0.1.0"
CHECKED_WHOLE_BYTES: Final = 32 * 1024 * 1024  # a larger file would take seconds
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_log: Final = logging.getLogger(__name__)


def prepare(database: Database, *, backups: Path, now: int, wait: float = WAIT_SECONDS) -> None:
    """Check the database at the start; bring an SQLite file up to date. Raises SchemaFault, Unavailable.

    A PostgreSQL server that does not answer may come later; one that refuses the service stops the start.
    """
    if database.path is None:
        try:
            if pending(database):
                _log.warning("the database lacks tables of this release: type `vestibule db upgrade`")
        except SchemaFault:
            raise
        except Unavailable as away:
            _log.warning("no answer from %s", away)
        finally:
            database.close()
        return
    file, lock_wait = DatabaseFile(database.path, backups), LockWait(wait)
    with exclusively(file.path, lock_wait):
        file.before_opening()
        try:
            _bring_up_to_date(database, file, lock_wait, now=now)
        finally:
            database.close()
        file.mark_made()
    database.known_current = True


def pending(database: Database) -> bool:
    """Whether `upgrade` has something to do. Once the answer is no, the database is not asked again.

    Raises SchemaFault, and Unavailable when the database does not answer.
    """
    if not database.known_current:
        # On PostgreSQL in a transaction: a pooler that refuses those is found here, and not by a request.
        with database.reading() if database.path else database.transaction() as connection:
            database.known_current = (revision_of(connection) or "") >= HEAD
    return not database.known_current


def upgrade(database: Database, *, backups: Path, now: int, wait: float = WAIT_SECONDS) -> str:
    """Bring the tables to this release; what was done, in words. Raises SchemaFault, Unavailable.

    Returns at once when there is nothing to do, and waits for so many seconds while others hold a lock. `backups` is
    the state directory's, for copies of an SQLite file; beside it lies the marker of the file that was made.
    """
    if database.path is None:
        return LockWait(wait).until_done(lambda: _upgrade_server(database))
    prepare(database, backups=backups, now=now, wait=wait)
    with closing(database), database.reading() as connection:
        return f"The database is at revision {revision_of(connection)}."


def _upgrade_server(database: Database) -> str:
    """Upgrade in one transaction, unless a lock is in the way: then nothing was changed, and it raises Blocked."""
    try:
        with database.wholesale() as connection:
            server_locks.begin_upgrade(connection)
            before = revision_of(connection)
            if (before or "") >= HEAD:
                return f"The database is at revision {before} already."
            tables, steps = sa.inspect(connection).get_table_names(), missing_steps(before)
            server_locks.take(connection, {table: mode for table, mode in steps.locks.items() if table in tables})
            _migrate(connection, steps)
    except Unavailable as failure:
        if blocked := server_locks.blocked(failure, database):
            raise blocked from failure
        raise
    return f"The database {_logged(before)}."


def _logged(before: str | None) -> str:
    done = f"was brought from revision {before} to {HEAD}" if before else f"got its tables, revision {HEAD}"
    _log.info("the database %s", done)
    return done


def _checked_revision(file: DatabaseFile) -> str | None:
    """Return the revision of a file that is undamaged. Raises Blocked."""
    with file.opened() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
        before = revision_of(connection)
        if file.path.stat().st_size <= CHECKED_WHOLE_BYTES:
            said = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
            if said != "ok":
                raise SchemaFault(f"the file is damaged ({said}): stop the service and restore a copy")
    return before


def _bring_up_to_date(database: Database, file: DatabaseFile, wait: LockWait, *, now: int) -> None:
    before = wait.until_done(lambda: _checked_revision(file))
    if (before or "") >= HEAD:
        return
    if before is None:
        file.refuse_a_loss()
    try:
        kept = copy(file.path, file.backups, label=before, now=now) if before else None
    except BadCopy as fault:
        raise SchemaFault(f"{file.path} was not migrated: no sound copy in {file.backups} ({fault})") from fault
    steps = missing_steps(before)
    wait.until_done(lambda: _migrate_file(database, file.path, steps))
    _logged(before)
    if kept:
        path, copied = shlex.quote(str(file.path)), shlex.quote(str(kept))
        _log.warning(
            "releases from %s on can use the new tables. An older one needs those of revision %s, without what happens "
            "from now on: stop the service, install that release, then: rm -f %s-wal %s-shm && cp -p %s %s",
            *(OLDEST_RELEASE, before, path, path, copied, path),
        )


def _migrate_file(database: Database, path: Path, steps: "Steps") -> None:
    """Run the steps in one transaction, unless a lock is in the way: then nothing was changed, and it raises Blocked.

    With a rollback journal a commit that waits for a long reader has all later readers wait.
    """
    try:
        with database.wholesale() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 50")
            _migrate(connection, steps)
            if connection.exec_driver_sql("PRAGMA foreign_key_check").all():
                raise SchemaFault(f"{path} was not migrated: a row would lose what it refers to")
    except Unavailable as failure:
        if sqlite.is_busy(failure.__cause__):
            raise Blocked(file_locks.holders_of_database(path)) from failure
        raise


def missing_steps(before: str | None) -> "Steps":
    """Return the steps that are missing. Alembic is imported here: it takes longer than a table may be locked."""
    # Alembic logs its plugins and dialects, from its import on; an operator needs none of that.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from service.storage.upkeep.steps import Steps

    return Steps(MIGRATIONS, before, HEAD)


def _migrate(connection: sa.Connection, steps: "Steps") -> None:
    """Run the steps inside the connection's transaction; write the oldest release that may use the tables."""
    steps.run(connection, HEAD)
    connection.execute(sa.delete(schema_info).where(schema_info.c.name == "oldest_release"))
    connection.execute(sa.insert(schema_info).values(name="oldest_release", value=OLDEST_RELEASE))
