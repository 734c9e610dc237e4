"""Whether PostgreSQL has enough connections for all workers, and for a second start beside them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from service.services import Unavailable
from service.storage.engine.database import Database

if TYPE_CHECKING:  # PostgreSQL's driver, whose memory an installation on SQLite keeps
    from service.storage.engine.timed_connection import TimedConnection

_FOR_USERS = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
       - coalesce(current_setting('reserved_connections', true), '0')::int
"""


def warnings(database: Database, workers: int, each: int) -> Iterator[str]:
    """Say when the workers may open more than half of the server's connections, each so many."""
    given = None if database.path else _for_users(database)
    if given is not None and workers * each > given / 2:
        yield (
            f"{workers} workers may open {workers * each} connections to PostgreSQL ({each} each), which has {given} "
            "for all its users: an upgrade starts as many workers again, and may find none left. Lower "
            "VESTIBULE_SERVER__DATABASE_CONNECTIONS, raise PostgreSQL's max_connections, or put PgBouncer in between"
        )


def _for_users(database: Database) -> int | None:
    """Return the server's connections less those of superusers; None behind a pooler, which has limits of its own."""
    try:
        with database.reading() as connection:
            pooled = cast("TimedConnection", connection.connection.dbapi_connection).per_transaction
            return None if pooled else int(connection.exec_driver_sql(_FOR_USERS).scalar_one())
    except Unavailable:
        return None
    finally:
        database.close()
