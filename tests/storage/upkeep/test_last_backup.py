"""The time of the last backup, on every engine."""

from service.storage.engine.database import Database
from service.storage.upkeep import last_backup
from tests.storage.stores import NOW


def test_the_last_one_noted_counts(database: Database) -> None:
    """A database that was never backed up says so; afterwards it knows the backup that was noted last."""
    assert last_backup.read(database) is None

    last_backup.note(database, NOW)
    last_backup.note(database, NOW + 60)

    assert last_backup.read(database) == NOW + 60
