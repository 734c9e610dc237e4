"""`vestibule ping`: whether gunicorn answers on its socket."""

import sys

import click

from service import healthcheck
from service.cli import as_json


@click.command()
@as_json
def ping(*, as_json: bool) -> None:
    """Check whether the service answers. Exit code 0 when it does, 3 when it does not."""
    sys.exit(healthcheck.main(["--json"] if as_json else []))
