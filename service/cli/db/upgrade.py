"""`vestibule db upgrade`: the tables of this release."""

import click

from service.cli import Operator, operator_command
from service.cli.output import report


@click.command()
@operator_command
def upgrade(op: Operator, *, as_json: bool) -> None:
    """Bring the tables to this release. Waits while another process does so."""
    done = op.upgrade(op.settings)
    report(done, {"done": done}, as_json=as_json)
