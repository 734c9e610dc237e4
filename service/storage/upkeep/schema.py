"""Whether a database is Vestibule's, undamaged and of this release; and its migration to this release.

An SQLite file is brought up to date at start, one process at a time, after a checked copy was kept. On
PostgreSQL that is `vestibule db upgrade`. Alembic is imported only when there is something to do. A
database that is damaged, another program's or too new stops the start; it is never replaced.
"""

import logging
import re
import shlex
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from service import RELEASE
from service.services import Tables, Unavailable
from service.storage.engine.database import Database, SchemaFault
from service.storage.engine.statement import Plain, metadata
from service.storage.upkeep.backup import BadCopy, copy
from service.storage.upkeep.file_checks import DatabaseFile, exclusively

__all__ = ["HEAD", "SchemaFault", "pending", "prepare", "upgrade"]

HEAD: Final = "0004"
# What is written into the database together with HEAD: releases before this one cannot use its tables.
OLDEST_RELEASE: Final = "0.1.0"
CHECKED_WHOLE_BYTES: Final = 32 * 1024 * 1024  # a larger file would take seconds
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_LOCK_MILLISECONDS: Final = 200  # below the time limit of each request's statements
_LOCK_NOT_AVAILABLE: Final = "55P03"
_LOCK: Final = 0x56455354  # "VEST": the advisory lock under which tables change
_RELEASE: Final = re.compile(r"\d+\.\d+\.\d+")
_REVISION: Final = re.compile(r"\d{4}")
_log: Final = logging.getLogger(__name__)

schema_info: Final = sa.Table(
    "schema_info",
    metadata,
    sa.Column("name", Plain, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
_alembic: Final = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.Text))


def prepare(database: Database, *, backups: Path, now: int) -> None:
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
    file = DatabaseFile(database.path, backups)
    with exclusively(file.path):
        file.before_opening()
        try:
            _bring_up_to_date(database, file, now=now)
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
            database.known_current = (_revision_of(connection) or "") >= HEAD
    return not database.known_current


def tables_of(database: Database, backups: Path) -> Tables:
    """Return which tables there are. Changes nothing, a file's journal included. Raises SchemaFault, Unavailable."""
    look = DatabaseFile(database.path, backups).opened() if database.path else database.reading()
    with look as connection:
        tables = Tables(_revision_of(connection), HEAD)
        if tables.are_pending:
            return tables
        oldest = connection.scalar(sa.select(schema_info.c.value).where(schema_info.c.name == "oldest_release"))
        return replace(tables, oldest_release=oldest)


def upgrade(database: Database, *, backups: Path, now: int) -> str:
    """Bring the tables to this release; what was done, in words. Raises SchemaFault, Unavailable.

    Returns at once when there is nothing to do, and waits while another process works on it. `backups` is the
    state directory's, for copies of an SQLite file; beside it lies the marker of the file that was made.
    """
    if database.path is not None:
        prepare(database, backups=backups, now=now)
        return f"The database is at revision {HEAD}."
    with database.wholesale() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        before = _revision_of(connection)
        if (before or "") >= HEAD:
            return f"The database is at revision {HEAD} already."
        _lock_tables(connection)
        _migrate(connection)
    return f"The database {_logged(before)}."


def _logged(before: str | None) -> str:
    done = f"was brought from revision {before} to {HEAD}" if before else f"got its tables, revision {HEAD}"
    _log.info("the database %s", done)
    return done


def _lock_tables(connection: sa.Connection) -> None:
    """Lock all tables of a server, and give way to what uses them, such as a long copy (pg_dump).

    Behind a lock that waits, every sign-in would wait, too.
    """
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}")
    tables = ", ".join(sa.inspect(connection).get_table_names())
    if tables and not _are_locked(connection, tables):
        _log.warning("The upgrade waits until no other transaction uses the tables, such as that of a copy (pg_dump)")
        while not _are_locked(connection, tables):
            time.sleep(1)


def _are_locked(connection: sa.Connection, tables: str) -> bool:
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(f"LOCK TABLE {tables}")
    except sa.exc.OperationalError as failure:
        if getattr(failure.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        return False
    return True


def _bring_up_to_date(database: Database, file: DatabaseFile, *, now: int) -> None:
    with file.opened() as connection:
        before = _revision_of(connection)
        if file.path.stat().st_size <= CHECKED_WHOLE_BYTES:
            said = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
            if said != "ok":
                raise SchemaFault(f"the file is damaged ({said}): stop the service and restore a copy")
    if (before or "") >= HEAD:
        return
    if before is None:
        file.refuse_a_loss()
    try:
        kept = copy(file.path, file.backups, label=before, now=now) if before else None
    except BadCopy as fault:
        raise SchemaFault(f"{file.path} was not migrated: no sound copy in {file.backups} ({fault})") from fault
    with database.wholesale() as connection:
        _migrate(connection)
        if connection.exec_driver_sql("PRAGMA foreign_key_check").all():
            raise SchemaFault(f"{file.path} was not migrated: a row would lose what it refers to")
    _logged(before)
    if kept:
        path, copied = shlex.quote(str(file.path)), shlex.quote(str(kept))
        _log.warning(
            "the way back to revision %s: stop the service, install the release from before, then: "
            "rm -f %s-wal %s-shm && cp -p %s %s",
            *(before, path, path, copied, path),
        )


def _revision_of(connection: sa.Connection) -> str | None:
    """Return the revision that the tables have; None for a database without any. Raises SchemaFault."""
    tables = set(sa.inspect(connection).get_table_names())
    if connection.dialect.name == "postgresql":
        _require_settings(connection)
    if not tables:
        return None
    # Before revision 0003 the table was called `house`.
    name = next((each for each in ("schema_info", "house") if each in tables), None)
    if name is None or "alembic_version" not in tables:
        raise SchemaFault("the database holds tables that are not Vestibule's; give it an empty database of its own")
    info = schema_info.to_metadata(sa.MetaData(), name=name)
    oldest = connection.scalar(sa.select(info.c.value).where(info.c.name == "oldest_release"))
    revision = connection.scalar(sa.select(_alembic.c.version_num))
    if not (_REVISION.fullmatch(revision or "") and _RELEASE.fullmatch(oldest or "")):
        raise SchemaFault("the database does not say which release it belongs to; restore a copy of it")
    if _numbers(RELEASE) < _numbers(str(oldest)):
        raise SchemaFault(f"the database needs Vestibule {oldest} or later, this is {RELEASE}; install the later one")
    return str(revision)


def _numbers(release: str) -> tuple[int, ...]:
    """Return major, minor and patch; a pre-release such as 0.2.0rc1 has the tables of 0.2.0."""
    return tuple(map(int, re.findall(r"\d+", release)[:3]))


def _require_settings(connection: sa.Connection) -> None:
    """Refuse what display names cannot be written in, and a default isolation that single statements must not have."""
    if connection.exec_driver_sql("SHOW server_encoding").scalar() != "UTF8":
        raise SchemaFault(
            "the database must have the encoding UTF8 (CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0)"
        )
    isolation, user = connection.exec_driver_sql(
        "SELECT current_setting('default_transaction_isolation'), quote_ident(current_user)"
    ).one()
    if isolation != "read committed":
        raise SchemaFault(
            f"the database's default isolation is {isolation}, with which parallel sign-ins fail: type "
            f"ALTER ROLE {user} SET default_transaction_isolation = 'read committed';"
        )


def _migrate(connection: sa.Connection) -> None:
    """Run the missing steps inside the connection's transaction; write the oldest release that may use the tables."""
    # Alembic logs its plugins and dialects, from its import on; an operator needs none of that.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
    connection.execute(sa.delete(schema_info).where(schema_info.c.name == "oldest_release"))
    connection.execute(sa.insert(schema_info).values(name="oldest_release", value=OLDEST_RELEASE))
