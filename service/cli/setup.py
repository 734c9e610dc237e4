"""`vestibule setup link`: the first administrator."""

import click

from service.cli import Operator, as_json
from service.cli.links import show_link
from service.cli.words import refuse
from service.login.links import Purpose


@click.group()
def setup() -> None:
    """Make the first administrator."""


@setup.command()
@as_json
@click.pass_obj
def link(op: Operator, *, as_json: bool) -> None:
    """Print a one-time link through which the first administrator is made; an earlier one stops working."""
    if op.services.accounts.has_administrator():
        refuse("There is an administrator already. For a lost password: vestibule account reset-link NAME")
    show_link(op, Purpose.SET_UP, None, as_json=as_json)
