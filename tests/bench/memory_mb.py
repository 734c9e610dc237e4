"""memory_mb: what all gunicorn processes take (PSS), with two workers, idle after they have answered some requests.

Both workers have signed people in and rendered pages before; then nothing is asked until the figure has not moved for
a while. In turn with it: the same gunicorn in front of an empty Flask route.
"""

import time
from collections.abc import Callable
from statistics import median
from typing import Final

from tests.bench import load, machine
from tests.bench.empty import EMPTY
from tests.bench.rows import Goal, Row
from tests.bench.served import Served, stopped
from tests.rig.servers import Servers

RUNS: Final = 3
PEOPLE: Final = 1000
NAME: Final = "memory_mb"
_STILL_SECONDS: Final = 4.0
_PATIENCE_SECONDS: Final = 20.0


def measure(say: Callable[[str], None]) -> Row:
    """Start, ask, wait, read; the row is the median."""
    ours, empty = [], []
    for _ in range(RUNS):
        with stopped(PEOPLE) as servers:
            servers.start()
            _use(Served(servers, PEOPLE, app=0, bare=0))
            ours.append(_settled(servers))
        with stopped(1, application=EMPTY) as servers:
            servers.start()
            servers.get("/")
            empty.append(_settled(servers))
        say(f"{ours[-1]:.1f} MB, an empty Flask route {empty[-1]:.1f} MB")
    beside = f"an empty Flask route in the same gunicorn {median(empty):.1f} MB"
    return Row(NAME, median(ours), "MB", Goal(92), tuple(ours), beside)


def _use(served: Served) -> None:
    """Let every worker sign people in, render pages and count."""
    load.closed_loop(served.servers.port, served.sign_ins(), clients=8, warm_up=0, seconds=1)
    for path in ("/", "/account", "/logout"):
        served.servers.get(path)
    served.servers.ops("/metrics")


def _settled(servers: Servers) -> float:
    """Return the figure once it has not changed by a tenth of a megabyte for some seconds."""
    processes = machine.family(servers.processes["gunicorn"].pid)
    began = changed = time.monotonic()
    last = machine.proportional_mb(processes)
    while time.monotonic() - changed < _STILL_SECONDS and time.monotonic() - began < _PATIENCE_SECONDS:
        time.sleep(0.2)
        now = machine.proportional_mb(processes)
        if abs(now - last) > 0.1:
            last, changed = now, time.monotonic()
    return machine.proportional_mb(processes)
