"""The parts of `make run`: what it says before and after both servers start, and how it copies their log."""

import errno
import importlib
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from service import listeners
from service.listeners import Listener
from service.services import Unavailable
from service.settings import load
from service.storage.upkeep.schema import SchemaFault
from tests.rig.make_run import LINK
from tests.rig.parts import ROOT


@pytest.fixture
def welcome(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program that greets; it lies beside `make run`'s other programs and not in a package."""
    monkeypatch.syspath_prepend(ROOT / "deploy")
    greeting = importlib.import_module("welcome")
    monkeypatch.setattr(greeting, "wait_until_ready", lambda _settings: None)
    return greeting


def raising(fault: Exception) -> Callable[..., None]:
    """Return what raises the fault, whatever it is called with."""

    def act(*_: object, **__: object) -> None:
        raise fault

    return act


def test_by_itself_it_names_the_command_of_the_readme(welcome: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing moved, nothing more to type than what the README says."""
    monkeypatch.setattr(welcome, "VESTIBULE", ROOT / ".venv/bin/vestibule")

    assert f"    {welcome.link_command({})}\n" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("away", [Unavailable("the database does not answer"), SchemaFault("the file is damaged")])
def test_a_database_that_is_away_at_the_welcome_stops_nothing(
    welcome: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], away: Unavailable
) -> None:
    """A database that does not answer becomes a sentence with what to type."""
    monkeypatch.setattr(welcome, "build_services", raising(away))

    welcome.welcome(load({}), {})

    address, sentence = capsys.readouterr().out.splitlines()
    assert "Vestibule is on http://localhost:8080" in address
    assert (str(away) in sentence, sentence.endswith(LINK)) == (True, True)


def test_a_link_that_cannot_be_made_stops_nothing(
    welcome: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """When `setup link` fails at a terminal, the command to try again is printed."""
    empty = SimpleNamespace(accounts=SimpleNamespace(has_administrator=lambda: False))
    monkeypatch.setattr(welcome, "build_services", lambda _settings: empty)
    monkeypatch.setattr(welcome.subprocess, "run", raising(subprocess.CalledProcessError(3, "setup link")))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    welcome.welcome(load({}), {})

    assert capsys.readouterr().out.splitlines()[-1].endswith(f"Later: {LINK}")


def test_what_was_chosen_is_there_to_copy(
    welcome: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command in another shell renders the same listeners as `make run` when it gets the line that is printed."""
    monkeypatch.setattr("os.environ", {"PORT": "8090", "OPS_PORT": "9190", "STATE_DIR": "/srv/a b"})
    chosen = importlib.import_module("run").choices()
    monkeypatch.setattr(welcome, "build_services", raising(Unavailable("away")))

    welcome.welcome(load(chosen), chosen)

    line = capsys.readouterr().out.splitlines()[1]
    words = shlex.split(line.partition("export ")[2])
    assert dict(word.split("=", 1) for word in words) == chosen
    assert {"VESTIBULE_SERVER__LISTEN", "VESTIBULE_OPS_LISTEN"} <= chosen.keys()


@pytest.mark.parametrize(
    ("refused", "used", "proposed"),
    [(80, set(), 8080), (443, {8443}, 8453), (8080, {8080, 8090}, 8100), (65530, {65530}, 8080)],
)
def test_a_port_that_cannot_be_used_is_answered_with_one_that_can(
    monkeypatch: pytest.MonkeyPatch, refused: int, used: set[int], proposed: int
) -> None:
    """What is proposed in place of a port is free, and not another one that the system keeps for root."""
    monkeypatch.syspath_prepend(ROOT / "deploy")
    errors = {port: OSError(errno.EADDRINUSE, "Address already in use") for port in used}
    errors |= {port: PermissionError(errno.EACCES, "Permission denied") for port in range(1, 1024)}
    monkeypatch.setattr(listeners, "fault_of", lambda listener: errors.get(listener.port))
    monkeypatch.setattr(listeners, "sockets", lambda wanted: [Listener("127.0.0.1", each.port) for each in wanted])

    with pytest.raises(SystemExit) as ended:
        importlib.import_module("run").refuse_used_ports(load({"VESTIBULE_SERVER__LISTEN": f"localhost:{refused}"}))

    assert str(ended.value).endswith(f"make run PORT={proposed}")


def test_a_log_that_takes_no_line_loses_it_and_says_so(tmp_path: Path) -> None:
    """A full disk costs lines of nginx's log and nothing else; when there is space again, the log says how many."""
    script = """if True:
        import os, sys
        sys.path.insert(0, "deploy")
        from supervisor import Events
        events = Events()
        for line in (b"one\\n", b"two\\nthr"):
            os.write(events.log_input, line)
            events.wait(lambda: True)
        os.dup2(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), 1)
        os.write(events.log_input, b"ee\\n")
        events.wait(lambda: True)
    """
    log = tmp_path / "log"
    with Path("/dev/full").open("wb") as full:
        subprocess.run([sys.executable, "-c", script, log], cwd=ROOT, stdout=full, check=True)

    assert log.read_text() == '{"event":"log_lines_lost","level":"warning","lost":2}\nthree\n'
