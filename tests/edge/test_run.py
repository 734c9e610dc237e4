"""`make run`: both servers in the foreground, which begin, live and end together."""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rig.asking import PATIENCE_SECONDS, free_port
from tests.rig.make_run import LINK, Run, end, gone, run
from tests.rig.parts import ROOT
from tests.rig.servers import counters_of, state_directory
from tests.rig.until import until


def test_it_says_where_it_is_and_how_to_begin(started: Run) -> None:
    """Without a terminal it prints the address and the command for the first administrator; TERM ends it with 0."""
    until(lambda: "first one: " in started.log(), "it says how to begin")

    said = started.log()
    assert f"Vestibule is on http://localhost:{started.port}" in said
    owners = {Path(f"/proc/{pid}").stat().st_uid for pid in {*started.servers(), started.process.pid}}
    assert owners == {(started.state_dir / "secret-key").stat().st_uid}
    assert 0 not in owners
    (command,) = re.findall(r"To make the first one: (.*)", said)
    assert "?token=" not in said
    assert (
        command
        == f"VESTIBULE_PUBLIC_URL=http://localhost:{started.port} VESTIBULE_STATE_DIR={started.state_dir} {LINK}"
    )
    made = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S602 - what it told us to type
    assert f"http://localhost:{started.port}/setup?token=" in made.stdout, made.stderr
    assert {path.stat().st_uid for path in started.state_dir.glob("*") if path != started.log_path} == owners
    assert started.status() == 200
    end(started, signal.SIGTERM)


def test_two_stops_at_once_are_one(started: Run) -> None:
    """`make` sends on the signal that its group got: gunicorn ends in order all the same, and its counters with it."""
    socket = started.state_dir / "run/gunicorn.sock"
    counted = counters_of(socket)
    started.process.send_signal(signal.SIGTERM)
    started.process.send_signal(signal.SIGINT)

    assert started.process.wait(PATIENCE_SECONDS) == 0

    assert (len(counted), counters_of(socket)) == (1, [])
    assert "Shutting down: Master" in started.log()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shares out memory so")
def test_the_supervisor_is_small(started: Run) -> None:
    """What stays beside the servers takes at most 15 MB."""
    measured = Path(f"/proc/{started.process.pid}/smaps_rollup").read_text()

    assert int(re.findall(r"^Pss: +(\d+) kB", measured, re.MULTILINE)[0]) < 15_000


def test_killed_it_takes_both_servers_along(started: Run) -> None:
    """`kill -9` of the whole leaves no server behind; the next start on the same state works; Ctrl-C ends it with 0."""
    servers = started.servers()

    started.process.kill()

    until(lambda: gone(servers), "all servers are gone")
    with run(started.state_dir, started.port, started.ops_port) as again:
        again.wait_until_ready()
        assert again.status() == 200
        end(again, signal.SIGINT)


@pytest.mark.parametrize("name", ["gunicorn", "nginx"])
def test_when_one_server_dies_the_other_ends(started: Run, name: str) -> None:
    """A server that dies takes the whole along, with exit code 1 and a sentence that says which one it was."""
    servers = started.servers()
    children = ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(started.process.pid)]
    listed = subprocess.run(children, capture_output=True, text=True, check=True).stdout
    (master,) = (int(line.split()[0]) for line in listed.splitlines() if name in line)

    os.kill(master, signal.SIGKILL)

    assert started.process.wait(PATIENCE_SECONDS) == 1
    assert f"{name} ended (-9)" in started.log()
    until(lambda: gone(servers), "all servers are gone")


@pytest.mark.parametrize(("name", "which"), [("PORT", 0), ("OPS_PORT", 1)])
def test_a_port_in_use_is_named(name: str, which: int) -> None:
    """A port in use ends the start at once, with the command to type, other choices included, and nothing started."""
    others = {"PORT": "OPS_PORT", "OPS_PORT": "PORT"}
    with socket.create_server(("127.0.0.1", 0)) as occupied, state_directory() as state_dir:
        ports = [free_port(), free_port()]
        ports[which] = occupied.getsockname()[1]
        with run(state_dir, *ports) as refused:
            code = refused.process.wait(PATIENCE_SECONDS)

        assert code == 1
        assert f"{name} {ports[which]} cannot be used (Address already in use)" in refused.log()
        assert f"make run {name}=" in refused.log()
        assert f" {others[name]}={ports[1 - which]} STATE_DIR={state_dir}" in refused.log()
        assert not (state_dir / "run").exists()


def test_at_a_terminal_it_shows_the_link_itself() -> None:
    """At a terminal the first start prints the link itself, and nginx's log; a closed terminal ends it with 0."""
    controller, terminal = pty.openpty()
    shown: list[str] = []

    def showed(words: str) -> bool:
        if select.select([controller], [], [], 0)[0]:
            shown.append(os.read(controller, 65536).decode(errors="replace"))
        return words in "".join(shown)

    with state_directory() as state_dir, run(state_dir, free_port(), free_port(), stdout=terminal) as it:
        os.close(terminal)
        until(lambda: showed("setup?token="), "it shows the link")
        assert it.status() == 200
        until(lambda: showed('"event":"edge"'), "nginx's line is there")
        os.close(controller)
        end(it, signal.SIGHUP)

    assert re.search(rf"open this link \(.*\)\s+http://localhost:{it.port}/setup\?token=\S{{43}}", "".join(shown))
