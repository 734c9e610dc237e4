"""`make run` refuses what cannot be served, in words, before anything is made or changes hands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rig.parts import ROOT


def refused(*by: str | Path, **chosen: str) -> str:
    """Return why a start ends with exit code 1."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("VESTIBULE_")}
    command = [*by, sys.executable, "deploy/run.py"]
    done = subprocess.run(command, cwd=ROOT, env=own | chosen, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


@pytest.mark.parametrize("value", ["abc", "", "0", "99999", "²"])
@pytest.mark.parametrize("name", ["PORT", "OPS_PORT"])
def test_a_wrong_port_is_named(name: str, value: str) -> None:
    """A PORT or OPS_PORT that is none is named as it was typed, and not as the settings that follow from it."""
    assert refused(**{name: value}).startswith(f"{name} ({value!r}) must be a port from 1 to 65535: make run {name}=")


def test_a_wrong_setting_ends_the_start_in_words(tmp_path: Path) -> None:
    """A fault of the settings ends the start with the settings' own sentence."""
    said = refused(STATE_DIR=str(tmp_path / "state"), VESTIBULE_SERVER__THREADS="many")

    assert said.startswith("VESTIBULE_SERVER__THREADS")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("state_dir", ["/etc", "/etc/ssl", "/etc/passwd"])
@pytest.mark.parametrize("by", [[], [ROOT / "deploy/unprivileged"]], ids=["as root", "as another user"])
def test_a_system_directory_is_no_state_directory(by: list[Path], state_dir: str) -> None:
    """The message says to choose another directory, and proposes no `chown` of that one, to root or another user."""
    said = refused(*by, STATE_DIR=state_dir)

    assert said.startswith(f"STATE_DIR ({state_dir}) holds files of other programs or users: choose a directory")
    assert "chown" not in said


@pytest.mark.parametrize("by", [[], [ROOT / "deploy/unprivileged"]], ids=["as root", "as another user"])
def test_a_state_directory_that_cannot_be_made(by: list[Path]) -> None:
    """Below a file there can be no directory: one line says so, to root and another user."""
    said = refused(*by, STATE_DIR="/dev/null/state")

    assert said == "STATE_DIR (/dev/null/state) cannot be made (Not a directory): choose another directory.\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands anything over")
def test_as_root_it_hands_over_nothing_but_state(tmp_path: Path) -> None:
    """A directory with foreign files in it is refused as a state directory before anything changes hands."""
    letter = tmp_path / "letter.txt"
    letter.touch()

    said = refused(STATE_DIR=str(tmp_path))

    assert "choose a directory of its own" in said
    assert (tmp_path.stat().st_uid, letter.stat().st_uid) == (0, 0)
