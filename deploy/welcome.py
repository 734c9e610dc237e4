"""The message of `make run` once both servers answer: the address, and how to make the first administrator."""

import http.client
import os
import shlex
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from run import ROOT, choices

from service import healthcheck
from service.app import build_services
from service.listeners import reachable
from service.services import Unavailable
from service.settings import Settings, load

VESTIBULE: Final = Path(sys.executable).with_name("vestibule")
READY_SECONDS: Final = 20


def welcome(settings: Settings, chosen: dict[str, str]) -> None:
    """Print the address and, while there is no administrator, the command that makes a link for the first one.

    The link itself is printed at a terminal only: other output is stored, and other people read it.
    """
    wait_until_ready(settings)
    ops = " ".join(map(str, settings.ops_listen))
    print(f"Vestibule is on {settings.public_url} (metrics and health on {ops}). Ctrl-C ends it.", flush=True)
    if chosen:
        print(f"Commands in another shell need: export {assignments(chosen)}", flush=True)
    command = link_command(chosen)
    try:
        if not build_services(settings).accounts.has_administrator():
            at_terminal = sys.stdout.isatty()
            how = f"open this link (another one: {command})" if at_terminal else command
            print(f"There is no administrator yet. To make the first one: {how}", flush=True)
            if at_terminal:
                subprocess.run([VESTIBULE, "setup", "link"], check=True)
    except (Unavailable, subprocess.CalledProcessError) as fault:
        print(f"No link for a first administrator can be made now ({fault}). Later: {command}", flush=True)


def wait_until_ready(settings: Settings) -> None:
    """Wait until /readyz answers 200 through nginx, or end with the reason after READY_SECONDS; both servers go on."""
    deadline = time.monotonic() + READY_SECONDS
    # gunicorn is asked first: nginx would log each question that comes too early.
    while wrong := healthcheck.ask(str(settings.socket_path)) or not_ready(settings):
        if time.monotonic() > deadline:
            sys.exit(f"The service is not ready after {READY_SECONDS} s, and its start goes on: {wrong}")
        time.sleep(0.05)


def not_ready(settings: Settings) -> str:
    """Return why /readyz on the ops listener does not answer 200; an empty text when it does."""
    with closing(http.client.HTTPConnection(*reachable(settings.ops_listen), timeout=1)) as connection:
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            said = answer.read().decode(errors="replace").strip()
        except (OSError, http.client.HTTPException) as fault:
            return str(fault) or type(fault).__name__
        return "" if answer.status == http.client.OK else said or str(answer.status)


def link_command(chosen: dict[str, str]) -> str:
    """Return the command that makes the link, to be typed in the project's directory.

    Root may type it, too: files that it makes in the state directory get the owner of the directory.
    """
    needed = {name: value for name, value in chosen.items() if "LISTEN" not in name}
    return " ".join(filter(None, [assignments(needed), os.path.relpath(VESTIBULE, ROOT), "setup", "link"]))


def assignments(chosen: dict[str, str]) -> str:
    """Return variables as a shell takes them."""
    return " ".join(shlex.quote(f"{name}={value}") for name, value in chosen.items())


if __name__ == "__main__":
    welcome(load(), choices())
