"""Servers that end, gently or not: nothing is left that blocks the next start, and the others soon go on."""

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edge.conftest import ECHO
from tests.rig.parts import ROOT, unprivileged
from tests.rig.processes import children
from tests.rig.servers import SERVICE, Servers, prepared


def test_a_killed_worker_is_replaced(servers: Servers) -> None:
    """After `kill -9` of a worker another takes its place and requests are answered (F-01)."""
    master = servers.processes["gunicorn"].pid
    before = children(master)

    os.kill(min(before), signal.SIGKILL)

    servers.wait_until(lambda: len(children(master) - {min(before)}) == 2, "there are two workers again")
    assert servers.get("/").status == 200


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="the kernel has no such score")
def test_where_memory_is_short_a_worker_ends_before_the_master(servers: Servers) -> None:
    """The kernel's score of a worker is worse than the master's, which replaces what the kernel ended (F-21)."""
    master = servers.processes["gunicorn"].pid

    def worst(*processes: int) -> list[int]:
        return [int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in processes]

    servers.wait_until(lambda: min(worst(*children(master))) > max(worst(master)), "each worker's score is worse")


def test_a_killed_master_takes_its_workers_along_and_the_next_start_works(servers: Servers) -> None:
    """After `kill -9` of gunicorn's master no worker goes on answering, and the stale socket blocks nothing (F-02)."""
    master = servers.processes.pop("gunicorn")
    workers = children(master.pid)

    master.kill()
    master.wait()

    assert len(workers) == 2
    servers.wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "the workers are gone")
    assert servers.get("/").status == 502
    assert servers.socket.exists()
    servers.start_gunicorn()
    servers.wait_until(lambda: servers.get("/").status == 200, "the service is back")


def test_workers_of_a_killed_master_keep_no_connection(servers: Servers) -> None:
    """A connection that nginx uses all the time does not keep a worker alive whose master is gone (F-02)."""
    master = servers.processes.pop("gunicorn")
    with socket.socket(socket.AF_UNIX) as nginx:
        nginx.connect(str(servers.socket))

        def answer() -> bytes:
            nginx.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return nginx.recv(65536)

        before = answer()
        master.kill()
        master.wait()

        assert b"Connection: keep-alive" in before
        servers.wait_until(lambda: b"Connection: close" in answer(), "the worker says that it keeps no connection")


def test_a_killed_nginx_starts_again_at_once(servers: Servers) -> None:
    """After `kill -9` of nginx its pid file and its port block nothing."""
    servers.end("nginx", signal.SIGKILL)

    servers.start_nginx()

    servers.wait_until(lambda: servers.get("/").status == 200, "nginx is back")


def test_a_stop_reaches_workers_that_are_still_starting() -> None:
    """A stop right after the start does not wait in vain for workers that were told before they could listen."""
    with prepared(application=ECHO, workers=2) as servers:
        slow = servers.state_dir / "slow.conf.py"
        real = (ROOT / "deploy" / "gunicorn.conf.py").read_text()
        slow.write_text(f"{real}\ndef post_fork(_server, _worker):\n    import time\n    time.sleep(1)\n")
        servers.start_gunicorn(slow)
        servers.wait_until(lambda: servers.log("gunicorn").count("Booting worker") == 2, "both are starting")

        assert servers.end("gunicorn") == 0

        assert servers.log("gunicorn").count("Worker exiting") == 2


def test_a_start_does_not_depend_on_the_working_directory() -> None:
    """A folder called like our package, where the operator happens to be, is not imported."""
    with prepared() as servers:
        foreign = servers.state_dir / "elsewhere" / "service"
        foreign.mkdir(parents=True)
        (foreign / "__init__.py").write_text("raise SystemExit('imported')")
        serve = unprivileged(Path(sys.executable).with_name("vestibule"), "serve")

        servers.processes["gunicorn"] = subprocess.Popen(serve, env=servers.environ, cwd=foreign.parent)

        servers.wait_until(servers.socket.exists, "gunicorn listens")


@pytest.mark.parametrize("left", ["WEB_CONCURRENCY=x", "GUNICORN_PID=77", "LISTEN_PID=$$ LISTEN_FDS=1"])
def test_what_is_meant_for_another_gunicorn_changes_nothing(left: str) -> None:
    """Variables of a platform, of another gunicorn or of systemd move no socket and end no start."""
    with prepared(workers=1) as servers:
        serve = " ".join(unprivileged(Path(sys.executable).with_name("vestibule"), "serve"))

        servers.processes["gunicorn"] = subprocess.Popen(["sh", "-c", f"{left} exec {serve}"], env=servers.environ)

        servers.wait_until(servers.socket.exists, "gunicorn listens")


def test_a_second_start_leaves_the_first_alone(servers: Servers) -> None:
    """On the same state directory it ends and says why; the socket stays with the one that serves."""
    master = servers.processes.pop("gunicorn")

    servers.start_gunicorn()
    ended = servers.processes.pop("gunicorn").wait(20)
    servers.processes["gunicorn"] = master

    assert ended == 1
    assert "another start serves this state directory" in servers.log("gunicorn")
    assert servers.get("/").status == 200


def test_an_instance_that_nginx_does_not_know_says_so() -> None:
    """A start whose socket is not among `server.instances` warns: it would get no request."""
    with prepared(application=SERVICE, workers=1, SERVER__INSTANCES="/run/v/one.sock,/run/v/two.sock") as servers:
        servers.start_gunicorn()

        servers.wait_until(
            lambda: f"this instance, whose socket is {servers.socket}:" in servers.log("gunicorn"), "it warns"
        )


def test_what_is_no_socket_is_not_taken_for_one(servers: Servers) -> None:
    """A file of that name stops the start, in words."""
    servers.end("gunicorn")
    servers.socket.touch()

    servers.start_gunicorn()

    assert servers.processes.pop("gunicorn").wait(20) == 1
    assert "is not a socket: move it away" in servers.log("gunicorn")
    assert "Traceback" not in servers.log("gunicorn")


def test_only_the_owner_and_the_group_reach_the_socket(echo: Servers) -> None:
    """The socket is 0660 in a directory of 0750, so that nginx alone talks to gunicorn (HD-11)."""
    assert stat.S_IMODE(echo.socket.stat().st_mode) == 0o660
    assert stat.S_IMODE(echo.socket.parent.stat().st_mode) == 0o750


def test_gunicorn_opens_no_control_socket(echo: Servers) -> None:
    """There is one socket, the one for nginx, and no port (OB-11)."""
    assert [path for path in echo.state_dir.rglob("*") if path.is_socket()] == [echo.socket]
    assert "ontrol" not in echo.log("gunicorn")


def test_a_directory_that_others_may_enter_stops_the_start(servers: Servers) -> None:
    """With a socket's directory that is open to other users gunicorn does not start, and says what to type."""
    servers.end("gunicorn")
    servers.socket.parent.chmod(0o755)

    servers.start_gunicorn()
    code = servers.processes.pop("gunicorn").wait(20)

    assert code == 1
    assert f"chmod 0750 {servers.socket.parent}" in servers.log("gunicorn")


def test_a_state_directory_that_gunicorn_makes_is_closed_to_others(servers: Servers) -> None:
    """Whichever program makes the state directory first, other users may not enter it."""
    servers.end("gunicorn")
    made = servers.state_dir / "made"
    servers.environ["VESTIBULE_STATE_DIR"] = str(made)

    servers.start_gunicorn()
    servers.wait_until((made / "run/gunicorn.sock").exists, "gunicorn listens")

    assert stat.S_IMODE(made.stat().st_mode) == 0o750


def test_settings_that_are_wrong_stop_the_start_in_words(servers: Servers) -> None:
    """A wrong setting ends the start with code 1 and the sentence of the settings, not with a traceback."""
    servers.end("gunicorn")
    servers.environ["VESTIBULE_SERVER__THREADS"] = "none"

    servers.start_gunicorn()
    code = servers.processes.pop("gunicorn").wait(20)

    assert code == 1
    assert "VESTIBULE_SERVER__THREADS must be a whole number" in servers.log("gunicorn")
    assert "Traceback" not in servers.log("gunicorn")
