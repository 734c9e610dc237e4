"""The time of the last backup, on every engine."""

import sqlalchemy as sa

from service.storage.engine.database import Database
from service.storage.engine.statement import Statement
from service.storage.upkeep import last_backup
from tests.storage.stores import NOW


def test_the_last_one_noted_counts(database: Database) -> None:
    """A database that was never backed up says so; afterwards it knows the backup that was noted last."""
    assert last_backup.read(database) is None

    last_backup.note(database, NOW)
    last_backup.note(database, NOW + 60)

    assert last_backup.read(database) == NOW + 60


def test_a_time_that_is_none_is_no_backup(database: Database) -> None:
    """What was written there by hand keeps no other line of the metrics and of `status` away."""
    last_backup.note(database, NOW)

    database.run(Statement(sa.text("UPDATE schema_info SET value = 'yesterday' WHERE name = 'last_backup'")))

    assert last_backup.read(database) is None
