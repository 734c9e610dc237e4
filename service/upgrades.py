"""The wiring of `vestibule db upgrade`: the settings, and the database."""

import time

from service.settings import Settings, keep_closed
from service.storage.engine.database import Database
from service.storage.upkeep import schema


def upgrade(settings: Settings, wait: int) -> str:
    """Bring the database's tables to this release; return a sentence. While others hold a lock, wait so many seconds.

    Raises SettingsFault, SchemaFault, Unavailable.
    """
    keep_closed(settings)
    database, backups = Database(settings.database_address), settings.state_dir / "backups"
    return schema.upgrade(database, backups=backups, now=int(time.time()), wait=wait)
