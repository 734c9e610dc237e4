"""What people and machines type: `make`, and the scripts behind it."""

import os
import pwd
import re
import subprocess

import pytest

from tests.house_rules.project import read
from tests.rig.parts import ROOT, unprivileged


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
    """What deploy/unprivileged starts is nobody when root started it, and whoever started it otherwise."""
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


def test_packages_says_what_it_can_do() -> None:
    """An argument that it does not know installs nothing and exits 2."""
    done = subprocess.run([ROOT / "deploy/packages", "everything"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "python|run|test" in done.stderr
