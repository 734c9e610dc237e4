"""`vestibule db …`: the database."""

import click

from service.cli import Operator, as_json
from service.cli.words import tell


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@as_json
@click.pass_obj
def upgrade(op: Operator, *, as_json: bool) -> None:
    """Bring the tables to this release; at once when they are, and after whoever is at it already."""
    done = op.upgrade(op.settings)
    tell(done, {"done": done}, as_json=as_json)
