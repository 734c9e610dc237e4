"""The commands of people and of CI: `make`, and the scripts behind it."""

import os
import pwd
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.settings import faults_of_state, load
from tests.house_rules.project import read
from tests.rig.parts import ROOT, unprivileged
from tests.settings import nobody


def test_make_explains_itself() -> None:
    """`make` alone lists every command with a sentence, and starts nothing."""
    shown = subprocess.run(["make", "--directory", ROOT], capture_output=True, text=True, check=True).stdout

    listed = re.findall(r"^  make ([a-z]+) +\S", shown, re.MULTILINE)
    assert {"run", "test", "fuzz", "check", "bench", "format", "venv", "lock", "image", "clean"} <= set(listed)


def test_commands_are_no_files() -> None:
    """A file called like a command of make does not stop that command."""
    makefile = read("Makefile")

    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    assert set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE)) - set(phony[1].split()) == set()


def test_servers_never_run_as_root() -> None:
    """What deploy/unprivileged starts runs as the user nobody when root started it, and as the same user otherwise."""
    asked = subprocess.run(unprivileged("id", "-u"), capture_output=True, text=True, check=True)

    expected = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    assert int(asked.stdout) == expected


def test_unprivileged_writes_nowhere() -> None:
    """Being able to read a private checkout brings no right to write into it."""
    if os.geteuid() != 0:
        pytest.skip("only root has rights to give up")
    written = ROOT / ".written-by-nobody"

    done = subprocess.run(unprivileged("touch", written), capture_output=True, check=False)

    assert done.returncode != 0
    assert not written.exists()


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A directory that only root enters, with a directory of the user nobody in it."""
    if os.geteuid() != 0:
        pytest.skip("needs root: a directory that the user nobody may not enter")
    (tmp_path / "state").mkdir()
    shutil.chown(tmp_path / "state", "nobody")
    tmp_path.chmod(0o700)
    return tmp_path


def _checked(private: Path, *by: str | Path) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"VESTIBULE_STATE_DIR": str(private / "state")}
    command = [*by, Path(sys.executable).with_name("vestibule"), "config", "check"]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def test_a_state_directory_in_a_private_place_is_in_order(private: Path) -> None:
    """The capability that deploy/unprivileged keeps lets the service pass a directory that is private to root."""
    done = _checked(private, ROOT / "deploy/unprivileged")

    assert (done.returncode, done.stderr) == (0, "")


def test_what_keeps_the_service_out_of_its_state_directory_is_named(private: Path) -> None:
    """Without the capability the directory above is named, and not the one below it that is as it must be."""
    settings = load({"VESTIBULE_STATE_DIR": str(private / "state")})

    (found,) = nobody.asked(lambda: faults_of_state(settings))()

    closed = next(each for each in (*reversed(private.parents), private) if each.stat().st_mode & 0o1 == 0)
    assert f"is below {closed}, which user 65534 may not enter: chmod o+x {closed}" in found


def test_a_checkout_that_servers_cannot_reach_is_named(private: Path) -> None:
    """Where the capability cannot be had, deploy/unprivileged names the closed directory and starts nothing."""
    (private / "deploy").mkdir()
    shutil.copy(ROOT / "deploy/unprivileged", private / "deploy")
    closed = next(each for each in (*reversed(private.parents), private) if each.stat().st_mode & 0o1 == 0)
    without = ["setpriv", "--bounding-set", "-dac_read_search"]

    done = subprocess.run(
        [*without, private / "deploy/unprivileged", "echo", "started"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert f"who may not enter {closed};" in done.stderr
    assert f"chmod o+x {closed}" in done.stderr


def test_a_state_directory_is_handed_over_and_no_link_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who owns it cannot get a file of others by putting a link in the place of a folder while root is at work."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    foreign, folder, moved = tmp_path / "foreign", tmp_path / "state/backups", tmp_path / "moved"
    for place in (foreign, folder):
        place.mkdir(parents=True)
        for name in ("one", "two"):
            (place / name).touch()
    (tmp_path / "state/secret-key").touch()
    give = os.chown

    def swap(path: str | Path, *owner: int, **how: Any) -> None:
        give(path, *owner, **how)
        if Path(path).name in {"one", "two"} and not folder.is_symlink():
            folder.rename(moved)
            folder.symlink_to(foreign)

    monkeypatch.setattr(os, "chown", swap)
    runpy.run_path(str(ROOT / "deploy/run.py"))["hand_over"](tmp_path / "state")

    nobody_s = pwd.getpwnam("nobody").pw_uid
    assert {path.stat().st_uid for path in foreign.iterdir()} == {0}
    assert {path.stat().st_uid for path in (moved, *moved.iterdir())} == {nobody_s}


def test_packages_says_what_it_can_do() -> None:
    """An argument that it does not know installs nothing and exits 2."""
    done = subprocess.run([ROOT / "deploy/packages", "everything"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "python|run|test" in done.stderr
