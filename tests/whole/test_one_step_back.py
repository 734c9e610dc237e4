"""The last release's code, this one, and a made-up next one over the same tables: forwards, side by side, and back."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.rig.parts import ROOT
from tests.rig.postgres import Postgres, postgres
from tests.rig.releases import environ_of, last_release, next_step

__all__ = ["postgres"]

_RUN: Final = """
import sys
from service.app import main
for command in {}:
    sys.argv[1:] = command.split()
    try:
        main()
    except SystemExit as end:
        assert not end.code, command
"""


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The code of three releases, oldest first."""
    place = tmp_path_factory.mktemp("releases")
    return [last_release(place), ROOT, next_step(place)]


@pytest.fixture(params=["sqlite", "postgresql"])
def environ(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The settings of a service over a database that does not exist yet, or has no tables."""
    chosen = {"VESTIBULE_STATE_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    if request.param == "sqlite":
        yield chosen
        return
    server: Postgres = request.getfixturevalue("postgres")
    yield chosen | {"VESTIBULE_DATABASE_URL": (address := server.new_database())}
    server.drop(address)


def said(code: Path, environ: dict[str, str], *commands: str) -> list[str]:
    """Return what commands of a release say, run in one process; they must work."""
    program = _RUN.format(commands)
    its = environ_of(code, environ)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=code, env=its, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_each_release_works_on_the_tables_of_the_next(releases: list[Path], environ: dict[str, str]) -> None:
    """Each upgrades in turn; then older ones go on writing, and all three read the same accounts."""
    upgraded = [said(code, environ, "db upgrade", f"account add a{n} --invite")[0] for n, code in enumerate(releases)]
    said(releases[0], environ, "account add b0 --invite", "account edit a2 --name A2")
    said(releases[1], environ, "account add b1 --invite", "account edit b0 --name B0")

    listed = [said(code, environ, "account list") for code in releases]

    assert [sorted(upgraded), len({*upgraded})] == [upgraded, 3]
    assert listed[0] == listed[1] == listed[2]
    assert [line.split()[0] for line in listed[0]] == ["a0", "a1", "a2", "b0", "b1"]
