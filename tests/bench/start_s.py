"""start_s: from starting `vestibule serve` until /readyz answers 200 on gunicorn's socket, the database in place.

In turn with it: the same gunicorn in front of an empty Flask route, until that answers.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from tests.bench.empty import EMPTY
from tests.bench.rows import Goal, Row
from tests.bench.served import stopped
from tests.rig.parts import ROOT, unprivileged
from tests.rig.servers import Servers

RUNS: Final = 7
PEOPLE: Final = 1000
NAME: Final = "start_s"
_SERVE: Final = (str(Path(sys.executable).parent / "vestibule"), "serve")
_EMPTY: Final = (sys.executable, "-m", "gunicorn", "--config", str(ROOT / "deploy" / "gunicorn.conf.py"), EMPTY)
_PATIENCE_SECONDS: Final = 30
_READY: Final = b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"


def measure(say: Callable[[str], None]) -> Row:
    """Start and stop both in turn; the row is the median. A first start of each is not counted."""
    ours, empty = [], []
    with stopped(PEOPLE) as servers:
        for run in range(RUNS + 1):
            ours.append(_seconds(servers, _SERVE))
            empty.append(_seconds(servers, _EMPTY))
            say(f"{ours[-1]:.2f} s, an empty Flask route {empty[-1]:.2f} s{'' if run else ' (not counted)'}")
    beside = f"an empty Flask route in the same gunicorn {median(empty[1:]):.2f} s"
    return Row(NAME, median(ours[1:]), "s", Goal(1.1), tuple(ours[1:]), beside)


def _seconds(servers: Servers, command: Sequence[str]) -> float:
    began = time.perf_counter()
    with (servers.state_dir / "gunicorn.log").open("ab") as log:
        servers.processes["gunicorn"] = subprocess.Popen(
            unprivileged(*command), env=servers.environ, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    while not _is_ready(servers.socket):
        assert servers.processes["gunicorn"].poll() is None, servers.log("gunicorn")[-2000:]
        assert time.perf_counter() - began < _PATIENCE_SECONDS, servers.log("gunicorn")[-2000:]
        time.sleep(0.005)
    seconds = time.perf_counter() - began
    servers.end("gunicorn")
    return seconds


def _is_ready(path: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE_SECONDS)
        connection.connect(os.fspath(path))
        connection.sendall(_READY)
        return connection.recv(64).startswith(b"HTTP/1.1 200 ")
    return False
