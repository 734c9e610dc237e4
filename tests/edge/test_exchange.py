"""Workers, masters and instances exchanged under load: how each ends, and that no request fails, forms included."""

import errno
import os
import re
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

from tests.edge.conftest import ECHO
from tests.rig.asking import PATIENCE_SECONDS, ask_socket
from tests.rig.parts import ROOT
from tests.rig.processes import children, runs
from tests.rig.servers import Servers, counters_of, prepared, running

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


def test_a_start_waits_for_the_instance_that_drains_on_its_socket() -> None:
    """`serve` may be typed right after SIGTERM: it says for how long it waits, and serves when the socket is free."""
    with running(SERVER__DRAIN="5m") as servers:
        before = servers.processes.pop("gunicorn")
        before.send_signal(signal.SIGTERM)
        servers.start_gunicorn()
        servers.wait_until(lambda: "is in use: waiting 305 s at most" in servers.log("gunicorn"), "it waits")
        before.send_signal(signal.SIGTERM)
        assert before.wait(PATIENCE_SECONDS) == 0

        servers.wait_until(lambda: servers.ops("/readyz").status == 200, "the second one serves")
        servers.end("gunicorn", signal.SIGKILL)  # it would drain


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
