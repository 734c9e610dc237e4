"""`vestibule setup link`: the first administrator."""

import click

from service.cli import Operator, operator_command
from service.cli.account.links import show_link
from service.login.administration import make_set_up_link


@click.group()
def setup() -> None:
    """Make the first administrator's link."""


@setup.command()
@operator_command
def link(op: Operator, *, as_json: bool) -> None:
    """Print a one-time link for making the first administrator. An earlier link stops working."""
    show_link(op, make_set_up_link(op.services, **op.audited()), as_json=as_json)
