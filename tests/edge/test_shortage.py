"""What is short for a moment (memory, processes, threads, descriptors): those that serve go on, with their requests."""

import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.edge.conftest import ECHO
from tests.rig.asking import PATIENCE_SECONDS, received
from tests.rig.parts import ROOT
from tests.rig.processes import children
from tests.rig.servers import Servers, prepared

FORM = b"POST /form HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3\r\n\r\na=b"
BEGUN = """
_ready = post_worker_init
def post_worker_init(worker):
    _ready(worker)
    worker.log.info("begun")
"""
SHORT = """
from pathlib import Path
def {hook}:
    if Path({flag!r}).exists():
        raise {fault}
"""
LIMITED = """
import resource
_begun = post_worker_init
def post_worker_init(worker):
    _begun(worker)
    worker.tpool.submit(int).result()
    {limit}
"""
FILES = "resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir('/proc/self/fd')) + 8, 1000))"
THREADS = "resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))"


@contextmanager
def serving(hooks: str, *, workers: int = 2) -> Iterator[Servers]:
    """Yield servers with further hooks of gunicorn's, `{flag}` in them being the path of a file that is not there."""
    with prepared(application=ECHO, workers=workers) as servers:
        configuration = servers.state_dir / "short.conf.py"
        real = (ROOT / "deploy/gunicorn.conf.py").read_text()
        configuration.write_text(real + BEGUN + hooks.replace("{flag}", str(servers.state_dir / "short")))
        servers.render()
        servers.start_gunicorn(configuration)
        servers.start_nginx()
        servers.wait_until(lambda: servers.log("gunicorn").count('"begun"') == workers, "all workers are there")
        servers.wait_until(lambda: servers.get("/").status == 200, "the service answers")
        yield servers


@pytest.mark.parametrize(
    ("hook", "fault"),
    [
        ("pre_fork(server, worker)", "BlockingIOError(11, 'Resource temporarily unavailable')"),
        ("post_fork(server, worker)", "RuntimeError('cannot start new thread')"),
    ],
)
def test_a_worker_that_cannot_be_started_ends_no_other(hook: str, fault: str) -> None:
    """Where a fork fails, or a new worker cannot begin, the others go on; there is another one once it can start."""
    with serving(SHORT.format(hook=hook, flag="{flag}", fault=fault)) as servers:
        master = servers.processes["gunicorn"].pid
        before = children(master)
        (servers.state_dir / "short").touch()

        os.kill(min(before), signal.SIGKILL)
        servers.wait_until(lambda: "no other process can be started" in servers.log("gunicorn"), "it cannot be")

        assert servers.get("/").status == 200
        assert max(before) in children(master)
        (servers.state_dir / "short").unlink()
        servers.wait_until(lambda: len(children(master)) == 2, "there are two workers again")


def test_a_start_without_any_worker_ends() -> None:
    """A worker that cannot begin ends a start, which has no other worker, with an exit code that is not 0."""
    with prepared(application=ECHO, workers=1) as servers:
        configuration = servers.state_dir / "short.conf.py"
        real = (ROOT / "deploy/gunicorn.conf.py").read_text()
        configuration.write_text(
            real + SHORT.format(hook="post_fork(server, worker)", flag="/", fault="RuntimeError('no thread')")
        )
        servers.start_gunicorn(configuration)

        assert servers.processes.pop("gunicorn").wait(PATIENCE_SECONDS) == 3


def test_a_second_master_that_cannot_be_run_ends_nothing() -> None:
    """Where USR2 finds no program to run, the first master, its workers and its socket stay."""
    with serving(
        SHORT.format(hook="pre_exec(server)", flag="{flag}", fault="FileNotFoundError(2, 'python')")
    ) as servers:
        master = servers.processes["gunicorn"]
        before = children(master.pid)
        (servers.state_dir / "short").touch()

        master.send_signal(signal.SIGUSR2)
        servers.wait_until(lambda: "no other process can be started" in servers.log("gunicorn"), "it cannot be")
        servers.wait_until(lambda: children(master.pid) == before, "the second master is gone")

        assert servers.get("/").status == 200


@pytest.mark.parametrize("limit", [FILES, THREADS], ids=["descriptors", "threads"])
def test_a_worker_without_room_answers_all_the_same(limit: str) -> None:
    """Forms for which a worker has no descriptor or no thread of their own wait, and are answered; it does not end."""
    with serving(LIMITED.format(limit=limit), workers=1) as servers:
        before = children(servers.processes["gunicorn"].pid)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(30)]
        for each in waiting:
            each.settimeout(PATIENCE_SECONDS)
            each.connect(str(servers.socket))
        for each in waiting:
            each.sendall(FORM)

        with ThreadPoolExecutor(30) as clients:
            assert list(clients.map(answered, waiting)) == [b"HTTP/1.1 200"] * 30
        assert children(servers.processes["gunicorn"].pid) == before


def answered(connection: socket.socket) -> bytes:
    """Return how the answer begins; like nginx, close as soon as it is there."""
    with connection:
        return received(connection)[:12]
