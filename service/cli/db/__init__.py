"""`vestibule db …`: the database."""

import click

from service.cli.db.rehearse import rehearse
from service.cli.db.upgrade import upgrade


@click.group()
def db() -> None:
    """Upgrade the database, and rehearse that."""


for command in (upgrade, rehearse):
    db.add_command(command)
