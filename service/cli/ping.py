"""`vestibule ping`: whether gunicorn answers on its socket."""

import sys

import click

from service import probe
from service.cli import as_json

main = probe.main


@click.command()
@as_json
def ping(*, as_json: bool) -> None:
    """Say whether the service answers: exit code 0, or 3 when it does not."""
    sys.exit(probe.main(["--json"] if as_json else []))
