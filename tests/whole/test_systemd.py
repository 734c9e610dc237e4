"""The commands of the systemd units as systemd starts them: it is told of readiness, and gets nginx's log."""

import json
import shlex
import signal
import socket
import subprocess
import sys

from tests.house_rules.project import read
from tests.rig.asking import ask
from tests.rig.parts import need, unprivileged
from tests.rig.servers import prepared, running


def _command(unit: str) -> str:
    (line,) = [line for line in read(f"deploy/systemd/{unit}.service").splitlines() if line.startswith("ExecStart=")]
    return line.removeprefix("ExecStart=")


def test_systemd_is_told_when_the_service_is_ready() -> None:
    """`vestibule serve` says READY=1 to the socket that a unit of Type=notify gives."""
    with prepared() as servers, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(place := servers.state_dir / "notify"))
        place.chmod(0o777)
        systemd.settimeout(20)
        servers.environ["NOTIFY_SOCKET"] = str(place)
        _, *words = shlex.split(_command("vestibule"))
        started = unprivileged(sys.executable, "-c", "from service.app import main; main()", *words)
        with subprocess.Popen(started, env=servers.environ, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as it:
            try:
                said = systemd.recv(1024)
            finally:
                it.send_signal(signal.SIGTERM)

    assert b"READY=1" in said


def test_the_journal_gets_the_log_of_requests() -> None:
    """Where standard output is a socket, as the journal's is, nginx starts all the same, logs, and ends on SIGQUIT."""
    with running() as servers:
        servers.end("nginx")
        start = _command("vestibule-edge").replace("/usr/sbin/nginx", str(need("nginx")))
        start = start.replace("-p /run/vestibule-edge/", f"-p {servers.nginx_dir}/")
        start = start.replace("/var/lib/vestibule/nginx/", f"{servers.nginx_dir}/")
        journal, stdout = socket.socketpair()
        journal.settimeout(20)
        with subprocess.Popen(
            unprivileged(*shlex.split(start)), stdout=stdout.fileno(), stderr=subprocess.DEVNULL
        ) as nginx:
            stdout.close()
            servers.wait_until(lambda: ask(servers.port, "/healthz").status == 404, "nginx answers")
            with journal, journal.makefile() as log:
                line = log.readline()
            nginx.send_signal(signal.SIGQUIT)
            assert nginx.wait(20) == 0

    assert json.loads(line)["status"] == 404
