"""What an instance had taken when it was told to end, or lost its master, is answered; what comes later is refused."""

import os
import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.edge.conftest import ECHO
from tests.rig.asking import PATIENCE_SECONDS, received
from tests.rig.parts import ROOT
from tests.rig.processes import children, runs
from tests.rig.servers import Servers, prepared

FORM = b"POST /form HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\na=b"


def test_what_has_arrived_is_answered_before_the_end(busy: Servers) -> None:
    """Forms that wait in the listener's queue when the service ends are answered; later ones are refused, not lost."""
    master, workers = busy.processes["gunicorn"], children(busy.processes["gunicorn"].pid)
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    waiting = [sent(busy.socket) for _ in range(40)]

    master.send_signal(signal.SIGTERM)
    busy.wait_until(lambda: all(map(is_told_to_end, workers)), "the workers will find SIGTERM first")
    for worker in workers:
        os.kill(worker, signal.SIGCONT)

    with ThreadPoolExecutor(40) as clients:
        assert list(clients.map(answered, waiting)) == [b"HTTP/1.1 200"] * 40
    assert master.wait(PATIENCE_SECONDS) == 0
    assert "Traceback" not in busy.log("gunicorn")


def test_what_has_arrived_is_answered_without_a_master(busy: Servers) -> None:
    """Forms in the queue when the master is killed are answered by its workers, and later ones refused (F-02)."""
    master = busy.processes.pop("gunicorn")
    for worker in children(master.pid):
        os.kill(worker, signal.SIGSTOP)
    waiting = [sent(busy.socket) for _ in range(40)]
    workers = children(master.pid)
    master.kill()
    master.wait()
    for worker in workers:
        os.kill(worker, signal.SIGCONT)

    with ThreadPoolExecutor(40) as clients:
        assert list(clients.map(answered, waiting)) == [b"HTTP/1.1 200"] * 40
    busy.wait_until(lambda: not any(map(runs, workers)), "the workers end")


_LATE = """
_ready = post_worker_init
def post_worker_init(worker):
    _ready(worker)
    handle = worker.handle
    def late(connection):
        result = handle(connection)
        while worker.alive:
            time.sleep(0.01)
        return result
    worker.handle = late
"""


def test_a_connection_that_was_silent_until_the_stop_is_answered() -> None:
    """A connection is not closed because the stop came just when the worker gave up waiting for its first bytes."""
    with prepared(application=ECHO, workers=1) as servers:
        late = servers.state_dir / "late.conf.py"
        late.write_text((ROOT / "deploy/gunicorn.conf.py").read_text() + _LATE)
        servers.start_gunicorn(late)
        master = servers.processes["gunicorn"]
        with socket.socket(socket.AF_UNIX) as early:
            early.settimeout(PATIENCE_SECONDS)
            servers.wait_until(lambda: not early.connect_ex(str(servers.socket)), "the worker listens")
            (worker,) = children(master.pid)
            servers.wait_until(
                lambda: len(list(Path(f"/proc/{worker}/task").iterdir())) > 2, "a thread takes the connection"
            )

            master.send_signal(signal.SIGTERM)
            servers.wait_until(lambda: not servers.socket.exists(), "the instance ends")
            early.sendall(FORM)

            assert received(early)[:12] == b"HTTP/1.1 200"
        assert master.wait(PATIENCE_SECONDS) == 0


def test_a_quick_stop_waits_for_no_request(busy: Servers) -> None:
    """SIGINT ends an instance in which a form never arrives whole: it is cut off after two seconds."""
    master = busy.processes["gunicorn"]
    with socket.socket(socket.AF_UNIX) as slow:
        slow.connect(str(busy.socket))
        slow.sendall(FORM[:-1])

        master.send_signal(signal.SIGINT)

        assert master.wait(PATIENCE_SECONDS / 2) == 0


def test_a_socket_that_was_removed_keeps_no_stop_from_its_end(busy: Servers) -> None:
    """Where the socket's file is gone, SIGTERM ends the instance as ever, its workers included."""
    busy.socket.unlink()

    assert busy.end("gunicorn") == 0

    assert busy.log("gunicorn").count("Worker exiting") == 2
    assert "Traceback" not in busy.log("gunicorn")


def is_told_to_end(pid: int) -> bool:
    """Whether a SIGTERM waits for a process."""
    (pending,) = re.findall(r"^ShdPnd:\s+(\w+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return bool(int(pending, 16) >> (signal.SIGTERM - 1) & 1)


def sent(path: Path) -> socket.socket:
    """Send a form to a unix socket; return the connection."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE_SECONDS)
    connection.connect(str(path))
    connection.sendall(FORM)
    return connection


def answered(connection: socket.socket) -> bytes:
    """Return how the answer begins; like nginx, close as soon as it is there."""
    with connection:
        return received(connection)[:12]
