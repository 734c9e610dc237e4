"""`vestibule db …`: the database."""

import click

from service.cli import Operator


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@click.pass_obj
def upgrade(op: Operator) -> None:
    """Bring the tables to this release; at once when they are, and after whoever is at it already."""
    click.echo(op.upgrade(op.settings()))
