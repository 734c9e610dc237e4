"""`make run` starts what counts nginx's requests, and starts it again where it ends."""

import contextlib
import os
import signal
import subprocess
import urllib.request

from tests.rig.make_run import Run, end, gone
from tests.rig.until import PATIENCE_SECONDS, until


def counts(run: Run) -> bool:
    """Whether /edge/metrics answers."""
    url = f"http://127.0.0.1:{run.ops_port}/edge/metrics"
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
        return b"vestibule_edge_requests_total{" in answer.read()
    return False


def test_what_counts_requests_is_started_again(started: Run) -> None:
    """Killed, it takes no server along; `make run` says so, and Prometheus can read the edge's metrics again soon."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    (counting,) = [int(pid) for pid, ppid, args in rows if int(ppid) == started.process.pid and "proxy metrics" in args]

    os.kill(counting, signal.SIGKILL)
    until(lambda: gone({counting}), "it is gone")

    assert started.status() == 200
    until(lambda: counts(started), "it counts again")
    assert "requests ended (-9): /edge/metrics is away until it starts again in 5 s." in started.log()
    end(started, signal.SIGTERM)
