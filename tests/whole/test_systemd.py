"""The commands of the systemd units as systemd starts them: it is told of readiness, and gets nginx's log."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.house_rules.project import read
from tests.rig.asking import ask
from tests.rig.parts import ROOT, need, unprivileged
from tests.rig.servers import Servers, prepared, running
from tests.rig.until import until


def _commands(unit: str, when: str) -> list[str]:
    found = [line.partition("=") for line in read(f"deploy/systemd/{unit}.service").splitlines()]
    return [command for name, _, command in found if name == when]


def test_systemd_is_told_when_the_service_is_ready() -> None:
    """`vestibule serve` says READY=1 to the socket that a unit of Type=notify gives."""
    with prepared() as servers, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(place := servers.state_dir / "notify"))
        place.chmod(0o777)
        systemd.settimeout(20)
        servers.environ["NOTIFY_SOCKET"] = str(place)
        (command,) = _commands("vestibule", "ExecStart")
        _, *words = shlex.split(command)
        started = unprivileged(sys.executable, "-c", "from service.app import main; main()", *words)
        with subprocess.Popen(started, env=servers.environ, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as it:
            try:
                said = systemd.recv(1024)
            finally:
                it.send_signal(signal.SIGTERM)

    assert b"READY=1" in said


# Of systemd, what the exchange asks: the service's main process, as a master told the socket of the unit.
STAND_INS: Final = {
    "systemctl": """#!/bin/sh
case $* in
  *MainPID*) cat "$MAIN_PID" ;;
  *NotifyAccess*) echo "$NOTIFY_ACCESS" ;;
  *) echo "$@" >>"$MAIN_PID.calls" ;;
esac
""",
    "runuser": '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n',
}


@contextmanager
def _notified(servers: Servers) -> Iterator[Path]:
    """Give the servers the socket of a unit; yield the file that holds the main process of which systemd was told."""
    pid = servers.state_dir / "main-pid"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(place := servers.state_dir / "notify"))
        place.chmod(0o777)
        servers.environ["NOTIFY_SOCKET"] = str(place)

        def listen() -> None:
            while (said := systemd.recv(1024)) != b"end":
                if said.startswith(b"MAINPID="):
                    (draft := pid.with_suffix(".new")).write_bytes(said.removeprefix(b"MAINPID="))
                    draft.replace(pid)

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            yield pid
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
                last.sendto(b"end", str(place))
            listener.join()


@contextmanager
def _asked_on(servers: Servers) -> Iterator[list[int]]:
    """Ask for the page, one request after the other; yield the list of the answers' statuses, which grows."""
    statuses: list[int] = []
    over = threading.Event()

    def ask_on() -> None:
        while not over.is_set():
            statuses.append(servers.get("/").status)

    (client := threading.Thread(target=ask_on)).start()
    try:
        yield statuses
    finally:
        over.set()
        client.join()


def _exchange(servers: Servers, pid: Path, **other: str) -> subprocess.CompletedProcess[str]:
    for name, text in STAND_INS.items():
        (servers.state_dir / name).write_text(text)
        (servers.state_dir / name).chmod(0o755)
    path = f"{servers.state_dir}:{servers.environ['PATH']}"
    own = {"PATH": path, "MAIN_PID": str(pid), "NOTIFY_ACCESS": "all"} | other
    script = [str(ROOT / "deploy/systemd/exchange")]
    return subprocess.run(script, env=servers.environ | own, capture_output=True, text=True, check=False)


def test_a_release_is_exchanged_without_a_failed_request() -> None:
    """deploy/systemd/exchange leaves a new master, known to systemd, or the old one and an error; all is answered."""
    with prepared() as servers, _notified(servers) as pid:
        servers.start()
        until(pid.exists, "systemd knows the master")
        before = pid.read_text()
        with _asked_on(servers) as statuses:
            wrong = ({"NOTIFY_ACCESS": "main"}, {"VESTIBULE_SERVER__WORKERS": "two"})
            refused = [_exchange(servers, pid, **each) for each in wrong]
            kept = pid.read_text()
            done = _exchange(servers, pid)
            ended = servers.processes["gunicorn"].wait(20)
            answered = len(statuses)
            until(lambda: len(statuses) > answered, "the second master answers alone")
        os.kill(int(pid.read_text()), signal.SIGTERM)
        until(lambda: not servers.socket.exists(), "the second master ended")
        told, after = Path(f"{pid}.calls").read_text(), pid.read_text()

    assert [(each.returncode, bool(each.stderr)) for each in refused] == [(1, True)] * 2
    assert (done.returncode, ended) == (0, 0), done.stdout + done.stderr
    assert before == kept != after
    assert set(statuses) == {200}
    assert told == "reload vestibule-edge.service\n"


def test_the_journal_gets_the_log_of_requests() -> None:
    """Where standard output is a socket, as the journal's is, nginx starts, logs, reads its files again, and ends."""
    with running() as servers:
        servers.end("nginx")
        places = {"/usr/sbin/nginx": str(need("nginx")), "/run/vestibule-edge": str(servers.nginx_dir)}
        places["/var/lib/vestibule/nginx"] = str(servers.nginx_dir)

        def words(command: str) -> list[str]:
            for installed, here in places.items():
                command = command.replace(installed, here)
            return unprivileged(*shlex.split(command))

        (start,) = _commands("vestibule-edge", "ExecStart")
        journal, stdout = socket.socketpair()
        journal.settimeout(20)
        with subprocess.Popen(words(start), stdout=stdout.fileno(), stderr=subprocess.DEVNULL) as nginx:
            servers.wait_until(lambda: ask(servers.port, "/healthz").status == 404, "nginx answers")
            places["$MAINPID"] = str(nginx.pid)
            reloads = [
                subprocess.run(words(each), stdout=stdout.fileno(), stderr=subprocess.PIPE, check=False)
                for each in _commands("vestibule-edge", "ExecReload")
            ]
            stdout.close()
            with journal, journal.makefile() as log:
                line = log.readline()
            nginx.send_signal(signal.SIGQUIT)
            assert nginx.wait(20) == 0

    assert [each.returncode for each in reloads] == [0, 0], reloads
    assert json.loads(line)["status"] == 404
