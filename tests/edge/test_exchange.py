"""Workers, masters and instances exchanged under load: how each ends, and that no request fails, forms included."""

import errno
import os
import re
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.edge.conftest import ECHO, calm
from tests.rig.asking import PATIENCE_SECONDS, ask_socket, received
from tests.rig.parts import ROOT
from tests.rig.processes import children, runs
from tests.rig.servers import Servers, counters_of, prepared, running

FORM = b"POST /form HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\na=b"
CLIENTS = 6


@contextmanager
def forms_arrive(servers: Servers) -> Iterator[Counter[int]]:
    """Have clients send forms, one after another each, until the block ends; what was answered, 0 for no answer."""
    statuses, is_over = Counter[int](), threading.Event()

    def send() -> None:
        while not is_over.is_set():
            try:
                status = servers.get("/form", method="POST", body=b"a=b").status
            except (OSError, HTTPException):
                status = 0
            statuses[status] += 1

    clients = [threading.Thread(target=send) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        servers.wait_until(lambda: statuses[200] > CLIENTS, "forms arrive")
        yield statuses
        then = statuses.total()
        servers.wait_until(lambda: statuses.total() > then + 3 * CLIENTS, "forms still arrive")
    finally:
        is_over.set()
        for client in clients:
            client.join()


def hang_up(servers: Servers) -> None:
    """Send HUP, and wait until all workers are new."""
    master = servers.processes["gunicorn"]
    servers.wait_until(lambda: len(children(master.pid)) == 2, "both workers run")
    before = children(master.pid)
    master.send_signal(signal.SIGHUP)
    servers.wait_until(lambda: not before & (now := children(master.pid)) and len(now) == 2, "all workers are new")


@pytest.fixture
def busy() -> Iterator[Servers]:
    """Servers that take forms from one client without a limit."""
    with running(application=ECHO, edit_nginx=calm, LIMITS__EDGE_POST_PER_SECOND="5000") as servers:
        yield servers


def test_new_workers_lose_no_form(busy: Servers) -> None:
    """HUP exchanges the workers while forms arrive all the time, and each is answered (F-03)."""
    with forms_arrive(busy) as statuses:
        for _ in range(3):
            hang_up(busy)

    assert statuses.keys() == {200}


def test_a_new_master_loses_no_form(busy: Servers) -> None:
    """USR2, then TERM to the old master, twice: each form is answered by one of the two; no drain keeps the old one."""
    old = busy.processes.pop("gunicorn")
    try:
        with forms_arrive(busy) as statuses:
            second = exchanged(busy, old.pid)
            assert old.wait(PATIENCE_SECONDS) == 0
            exchanged(busy, second)  # which was not the only master a moment before
            busy.wait_until(lambda: not runs(second), "the second master ends")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(old.pid, signal.SIGKILL)  # both masters and all workers are one group

    assert statuses.keys() == {200}
    assert "draining" not in busy.log("gunicorn")


def exchanged(servers: Servers, master: int) -> int:
    """Start another master, and end the one that was there; the other one."""
    os.kill(master, signal.SIGUSR2)
    masters = {0}

    def serves() -> bool:
        masters.update(child for child in children(master) if len(children(child)) == 2)
        return len(masters) == 2

    servers.wait_until(serves, "the new master has workers")
    os.kill(master, signal.SIGTERM)
    return max(masters)


def test_signals_for_the_master_end_no_worker(busy: Servers) -> None:
    """HUP and USR2 that reach the workers as well, as `pkill` sends them, change nothing there."""
    master = busy.processes["gunicorn"].pid
    busy.wait_until(lambda: len(children(master)) == 2, "both workers run")
    before = children(master)

    for worker in before:
        os.kill(worker, signal.SIGHUP)
        os.kill(worker, signal.SIGUSR2)

    assert [busy.get("/form").status for _ in range(8)] == [200] * 8
    assert children(master) == before


_HELD_UP = """
import pathlib, time
_ready = post_worker_init
def post_worker_init(worker):
    while not pathlib.Path({go!r}).exists():
        time.sleep(0.01)
    _ready(worker)
"""


def test_a_starting_instance_refuses_until_it_can_answer() -> None:
    """The socket takes no connection before a worker runs: nginx asks another instance, and no request waits."""
    with prepared(application=ECHO) as servers, socket.socket(socket.AF_UNIX) as early:
        go, held_up = servers.state_dir / "go", servers.state_dir / "held_up.conf.py"
        real = (ROOT / "deploy/gunicorn.conf.py").read_text()
        held_up.write_text(real + _HELD_UP.format(go=str(go)))
        servers.start_gunicorn(held_up)
        servers.wait_until(lambda: "Booting worker" in servers.log("gunicorn"), "a worker starts")

        assert early.connect_ex(str(servers.socket)) == errno.ECONNREFUSED

        go.touch()
        servers.wait_until(lambda: ask_socket(servers.socket, "/healthz").status == 200, "the instance answers")


def test_readiness_goes_before_the_listener() -> None:
    """After SIGTERM /readyz is red, and says why; requests are answered, and connections close; a second ends it."""
    with running(SERVER__DRAIN="5m") as servers:
        master = servers.processes["gunicorn"]
        master.send_signal(signal.SIGTERM)
        servers.wait_until(lambda: servers.ops("/readyz").status == 503, "/readyz is red")
        why = servers.ops("/readyz").text
        answers = [ask_socket(servers.socket, "/healthz") for _ in range(8)]
        form = servers.get("/", method="POST", body=b"")
        master.send_signal(signal.SIGTERM)
        ended = master.wait(PATIENCE_SECONDS)

    assert why == "draining: this instance was told to end\n"
    assert {(answer.status, answer.one("connection")) for answer in answers} == {(200, "close")}
    assert form.status == 415
    assert (ended, servers.socket.exists()) == (0, False)


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
            servers.wait_until(lambda: held(worker)[1] > 2, "a thread takes the connection")

            master.send_signal(signal.SIGTERM)
            servers.wait_until(lambda: not servers.socket.exists(), "the instance ends")
            early.sendall(FORM)

            assert received(early)[:12] == b"HTTP/1.1 200"
        assert master.wait(PATIENCE_SECONDS) == 0


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


def held(pid: int) -> tuple[int, int]:
    """Return how many descriptors and threads a process has."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir())), len(list(Path(f"/proc/{pid}/task").iterdir()))


def memory_kib(pid: int) -> int:
    """Return the memory that a process has for itself."""
    found = re.findall(r"^Private_\w+: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return sum(map(int, found))


def test_many_exchanges_leave_nothing_behind() -> None:
    """Later HUPs add nothing to the master's descriptors, threads and memory, nor to the files of counters (F-03)."""
    with prepared() as servers:
        servers.start()
        master = servers.processes["gunicorn"].pid
        seen = []
        for times in (3, 6):
            for _ in range(times):
                hang_up(servers)
                servers.wait_until(lambda: ask_socket(servers.socket, "/healthz").status == 200, "the new ones answer")
            seen.append((held(master), len(list(counters_of(servers.socket)[0].iterdir())), memory_kib(master)))

    (*before, memory_before), (*after, memory_after) = seen
    assert after == before
    assert memory_after - memory_before < 500
