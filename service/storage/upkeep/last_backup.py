"""When the last good backup was made: one row of the database that it is a backup of, for the metrics and `status`."""

import re
from typing import Final

import sqlalchemy as sa

from service.storage.engine.database import Database
from service.storage.engine.statement import Statement
from service.storage.upkeep.revision import schema_info

_READ: Final = Statement(sa.select(schema_info.c.value).where(schema_info.c.name == "last_backup"))
_NOTE: Final = Statement(
    sa.text("""
INSERT INTO schema_info (name, value) VALUES ('last_backup', :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value""")
)


def note(database: Database, now: int) -> None:
    """Keep when the backup was made, in seconds since the epoch, in place of the one before. Raises Unavailable."""
    database.run(_NOTE, value=str(now))


def read(database: Database) -> int | None:
    """Return when the last backup was made; None without any. Raises Unavailable."""
    return next((int(value) for (value,) in database.run(_READ) if re.fullmatch("[0-9]{1,12}", value)), None)
