"""`vestibule db …`: the database."""

import click

from service.cli.db.backup import backup
from service.cli.db.rehearse import rehearse
from service.cli.db.restore import restore
from service.cli.db.upgrade import upgrade
from service.cli.db.verify import verify


@click.group(commands=[upgrade, rehearse, backup, verify, restore])
def db() -> None:
    """Upgrade the database, rehearse that, back it up, restore it."""
