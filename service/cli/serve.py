"""`vestibule serve`: gunicorn, in the foreground."""

import os
import sys
from pathlib import Path

import click

from service.machine import with_large_pages

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "gunicorn.conf.py"


@click.command()
def serve() -> None:
    """Serve on the unix socket that nginx knows, until TERM. The configuration follows from the settings."""
    # gunicorn replaces this process, so that it gets the signals itself and the exit code is its own.
    # Not by `-m gunicorn`: a second master (USR2) would then find gunicorn's own folder `http` in place of Python's.
    script = Path(sys.executable).with_name("gunicorn")
    command = [sys.executable, str(script), "--config", str(CONFIGURATION)]
    os.execve(sys.executable, command, with_large_pages(os.environ))  # noqa: S606
