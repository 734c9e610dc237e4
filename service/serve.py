"""Becoming gunicorn: what `vestibule serve` does. It imports next to nothing, because a start waits for it."""

import os
import sys
from pathlib import Path
from typing import Final, NoReturn

from service.hashing.cpu_budget import with_large_pages

CONFIGURATION: Final = Path(__file__).resolve().parents[1] / "deploy" / "gunicorn.conf.py"


def become_gunicorn() -> NoReturn:
    """Replace this process with gunicorn, so that signals and the exit code need no process in between.

    Not by `-m gunicorn`: a second master (USR2) would then find gunicorn's own folder `http` in place of Python's. From
    the project's directory, because gunicorn imports from the working directory first.
    """
    os.chdir(CONFIGURATION.parents[1])
    script = Path(sys.executable).with_name("gunicorn")
    command = [sys.executable, str(script), "--config", str(CONFIGURATION)]
    os.execve(sys.executable, command, with_large_pages(os.environ))  # noqa: S606
