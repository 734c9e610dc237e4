"""Questions that commands ask: at a terminal they are asked, elsewhere the options that answer them are named."""

import ast
import os
import pty
import select
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.cli.terminal import Terminal
from tests.house_rules.project import modules
from tests.rig.parts import ROOT
from tests.rig.passwords import PASSWORD
from tests.rig.people import PASSWORDS, alice
from tests.rig.promises import copy_of
from tests.rig.world import browser

VESTIBULE: Final = str(Path(sys.executable).with_name("vestibule"))
# Each command that asks, with the options that answer.
ASKING: Final[dict[tuple[str, ...], tuple[str, ...]]] = {
    ("account", "add", "bob"): ("--invite", "--password-stdin"),
    ("account", "delete", "alice"): ("--yes",),
    ("account", "offboard", "alice"): ("--yes",),
}
_ASK: Final = {"click.prompt", "click.confirm", "click.pause", "getpass.getpass", "input"}


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input counts as a terminal, though the test types."""
    monkeypatch.setattr("service.cli.output.is_interactive", lambda: True)


@pytest.mark.parametrize("call", ASKING, ids=" ".join)
@pytest.mark.parametrize("stdin", ["", f"{PASSWORD}\n{PASSWORD}\n", "y\n"])
def test_without_a_terminal_the_options_are_named(terminal: Terminal, call: tuple[str, ...], stdin: str) -> None:
    """Nothing is asked and nothing is read: exit code 2, and the options to type instead; everything stays."""
    before = copy_of(terminal.world.rows)

    said = terminal.refused(*call, stdin=stdin, code=2)

    assert [option for option in ASKING[call] if option not in said] == []
    assert "Standard input is not a terminal" in said
    assert [word for word in ("Aborted", "Warning") if word in said] == []
    assert terminal.world.rows == before


def _started(*typed: str, state: Path, stdin: int) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, so that no terminal of this machine is its own."""
    (config := state / "vestibule.toml").touch()
    environ = {"PATH": os.environ["PATH"], "VESTIBULE_STATE_DIR": str(state), "VESTIBULE_CONFIG": str(config)}
    return subprocess.Popen(
        [VESTIBULE, *typed], cwd=ROOT, env=environ, stdin=stdin, stdout=-1, stderr=-1, start_new_session=True
    )


def test_a_process_without_a_terminal(tmp_path: Path) -> None:
    """As an orchestrator or cron starts it: two clear lines, exit code 2, no warning of getpass's."""
    command = _started("account", "add", "bob", state=tmp_path, stdin=subprocess.DEVNULL)
    out, err = command.communicate(timeout=60)

    assert (command.returncode, out) == (2, b"")
    assert err.decode().splitlines()[-1].startswith("Error: Standard input is not a terminal, so a password")
    assert b"GetPassWarning" not in err


def test_a_process_at_a_terminal(tmp_path: Path) -> None:
    """At a real terminal a password is asked for twice, on standard error, and is not echoed."""
    ours, theirs = pty.openpty()
    with _started("account", "add", "bob", state=tmp_path, stdin=theirs) as command:
        assert command.stderr is not None
        for question in (b"Password: ", b"Repeat for confirmation: "):
            said = b""
            while not said.endswith(question):  # what is typed before the question is thrown away
                more = os.read(command.stderr.fileno(), 100)
                assert more, said
                said += more
            os.write(ours, f"{PASSWORD}\n".encode())
        out, err = command.communicate()
    echoes, _, _ = select.select([ours], [], [], 0)
    os.close(theirs)
    os.close(ours)

    assert (command.returncode, out) == (0, b"Added bob.\n"), err
    assert (echoes, PASSWORD.encode() in err) == ([], False)


def test_only_one_file_asks() -> None:
    """Every question goes through the one file that looks for a terminal first."""
    asks = {
        str(path.relative_to(ROOT))
        for path in modules("service")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _ASK
    }

    assert asks == {"service/cli/output.py"}


@pytest.mark.usefixtures("at_a_terminal")
def test_a_password_is_asked_for_twice_and_never_shown(terminal: Terminal) -> None:
    """At a terminal it is prompted, twice, on standard error, without echo."""
    result = terminal.run("account", "add", "bob", stdin=f"{PASSWORD}\n{PASSWORD}\n")

    assert (result.exit_code, result.stdout) == (0, "Added bob.\n")
    assert PASSWORD not in result.output
    assert PASSWORDS.check(terminal.account("bob").password_hash, PASSWORD).matches


@pytest.mark.usefixtures("at_a_terminal")
def test_deleting_asks_first(terminal: Terminal) -> None:
    """Without --yes a no, and no answer at all, leave everything; a yes removes account and sessions."""
    browser(terminal.world.app()).post("/", data={"username": "alice", "password": PASSWORD})

    for answer in ("n\n", ""):
        assert terminal.run("account", "delete", "alice", stdin=answer).exit_code == 1
    assert len(terminal.world.rows.sessions) == 1
    assert terminal.run("account", "delete", "alice", stdin="y\n").stdout == "Deleted alice.\n"
    assert (terminal.world.rows.accounts, terminal.world.rows.sessions) == ({}, {})


@pytest.mark.usefixtures("at_a_terminal")
def test_offboarding_asks_first(terminal: Terminal) -> None:
    """Without --yes a no leaves everything; the question comes after the warning about the last administrator."""
    terminal.world.rows.accounts["a1"] = alice(is_admin=True)

    asked = terminal.run("account", "offboard", "alice", stdin="n\n")

    assert (asked.exit_code, terminal.account("alice").is_disabled) == (1, False)
    assert asked.stderr.index("Warning: alice is the last administrator.") < asked.stderr.index("Offboard alice?")
    assert terminal.run("account", "offboard", "alice", stdin="y\n").exit_code == 0
    assert terminal.account("alice").is_disabled
