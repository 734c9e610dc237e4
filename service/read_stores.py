"""What the stores say at this moment, for `vestibule status`: the wiring of storage that needs no service."""

import time

from service.services import StoreState
from service.settings import Settings
from service.storage import store_state
from service.storage.engine.database import Database


def read_stores(settings: Settings) -> StoreState:
    """Read the stores of these settings, whether the service runs or not."""
    return store_state.read(
        Database(settings.database_address),
        redis=settings.redis_address,
        backups=settings.state_dir / "backups",
        throttles=settings.throttles.by_scope(),
        now=int(time.time()),
    )
