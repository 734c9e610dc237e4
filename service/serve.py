"""Becoming gunicorn: what `vestibule serve` does. It imports next to nothing, because a start waits for it."""

import os
import sys
from pathlib import Path
from typing import Final, NoReturn

from service.hashing.cpu_budget import with_large_pages

# gunicorn takes these for what another process of its own, or systemd, has left to it: sockets that go round nginx. It
# reads the first before our configuration, which sets the number of workers.
_NOT_FOR_US: Final = {"WEB_CONCURRENCY", "GUNICORN_PID", "GUNICORN_FD", "LISTEN_PID", "LISTEN_FDS"}
CONFIGURATION: Final = Path(__file__).resolve().parents[1] / "deploy" / "gunicorn.conf.py"


def become_gunicorn() -> NoReturn:
    """Replace this process with gunicorn, so that signals and the exit code need no process in between.

    Not by `-m gunicorn`: a second master (USR2) would then find gunicorn's own folder `http` in place of Python's. From
    the project's directory, because gunicorn imports from the working directory first.
    """
    os.chdir(CONFIGURATION.parents[1])
    script = Path(sys.executable).with_name("gunicorn")
    command = [sys.executable, str(script), "--config", str(CONFIGURATION)]
    environ = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_US}
    os.execve(sys.executable, command, with_large_pages(environ))  # noqa: S606
