"""`vestibule db …`: the database."""

import click

from service.cli.db.upgrade import upgrade


@click.group()
def db() -> None:
    """Upgrade the database."""


for command in (upgrade,):
    db.add_command(command)
