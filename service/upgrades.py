"""The wiring of `vestibule db upgrade` and `rehearse`: the settings, and the database."""

import time
from collections.abc import Callable

from service.services import Rehearsal
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


def rehearse(settings: Settings, into: str | None, say: Callable[[str], None]) -> Rehearsal:
    """Run the missing steps on a copy: of a file beside it, of a server's database in the empty one at `into`.

    Raises SettingsFault, SchemaFault, Unavailable.
    """
    from service.storage.upkeep import rehearsal

    keep_closed(settings)
    target = Database(into) if into else None
    return rehearsal.rehearse(Database(settings.database_address), target, now=int(time.time()), say=say)
