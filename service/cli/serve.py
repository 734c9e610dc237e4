"""`vestibule serve`: gunicorn, in the foreground."""

import os
import sys
from pathlib import Path

import click

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "gunicorn.conf.py"


@click.command()
def serve() -> None:
    """Serve on the unix socket that nginx knows, until TERM. The configuration follows from the settings."""
    sys.stdout.flush()
    # gunicorn becomes this very process, so that signals and the exit code need nobody in between.
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "--config", str(CONFIGURATION)])  # noqa: S606
