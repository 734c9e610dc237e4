"""`make run`, without make: how a test starts it, watches it and ends it."""

import contextlib
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.rig.asking import PATIENCE_SECONDS
from tests.rig.parts import ROOT, need
from tests.rig.until import until

LINK = f"{os.path.relpath(Path(sys.executable).with_name('vestibule'), ROOT)} setup link"

# Two masters, the process that counts requests, two workers of gunicorn, and those of nginx.
PROCESSES = 5 + (os.cpu_count() or 1)


@dataclass
class Run:
    """One `make run`, without make: its process, its ports, and what it wrote."""

    process: subprocess.Popen[bytes]
    port: int
    ops_port: int
    state_dir: Path
    log_path: Path

    def log(self) -> str:
        """Return what it wrote so far."""
        return self.log_path.read_text(errors="replace")

    def servers(self) -> set[int]:
        """Return the processes that serve this state directory, workers included."""
        found = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
        rows = [(int(pid), int(ppid), args) for pid, ppid, args in (line.split(None, 2) for line in found.splitlines())]
        masters = {pid for pid, ppid, _ in rows if ppid == self.process.pid}
        return masters | {pid for pid, ppid, _ in rows if ppid in masters}

    def status(self, path: str = "/") -> int:
        """Return the status of a page."""
        with urllib.request.urlopen(f"http://localhost:{self.port}{path}", timeout=PATIENCE_SECONDS) as answer:
            status: int = answer.status
            return status

    def wait_until_ready(self) -> None:
        """Wait until it says where it is, and both servers have all of their workers."""
        until(lambda: "Vestibule is on" in self.log() or self.process.poll() is not None, "it says where it is")
        assert "Vestibule is on" in self.log(), self.log()
        until(lambda: len(self.servers()) >= PROCESSES, "all workers run")


def gone(processes: set[int]) -> bool:
    """Whether none of these runs any more; a zombie does not."""
    listed = subprocess.run(["ps", "-o", "stat=", *map(str, processes)], capture_output=True, text=True, check=False)
    return not [line for line in listed.stdout.splitlines() if not line.startswith("Z")]


@contextlib.contextmanager
def run(state_dir: Path, port: int, ops_port: int, *, stdout: int | None = None) -> Iterator[Run]:
    """Start it as `make run` does."""
    need("nginx")
    own = {name: value for name, value in os.environ.items() if not name.startswith("VESTIBULE_")}
    environ = own | {
        "PORT": str(port),
        "OPS_PORT": str(ops_port),
        "STATE_DIR": str(state_dir),
        "VESTIBULE_SERVER__WORKERS": "2",
    }
    log_path = state_dir / "run.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "deploy/run.py"], cwd=ROOT, env=environ, stdin=subprocess.DEVNULL,
            stdout=stdout or log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    started = Run(process, port, ops_port, state_dir, log_path)
    try:
        yield started
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS + 30)


def end(it: Run, how: signal.Signals) -> None:
    """Tell it to stop, and see that it does so with exit code 0 and that no server process is left."""
    until(lambda: len(it.servers()) >= PROCESSES, "all workers run")
    servers = it.servers()

    it.process.send_signal(how)

    assert it.process.wait(PATIENCE_SECONDS) == 0
    until(lambda: gone(servers), "all servers are gone")
