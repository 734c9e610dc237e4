"""What `make run` says when both servers are there; whatever it finds, they go on."""

import importlib
import subprocess
from types import ModuleType
from unittest.mock import Mock

import pytest

from service.services import Unavailable
from service.settings import load
from service.storage.upkeep.schema import SchemaFault
from tests.edge.test_run import LINK
from tests.rig.parts import ROOT


@pytest.fixture
def run_py(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What `make run` runs, to be tried by parts; it stands beside its other half and not in a package."""
    monkeypatch.syspath_prepend(ROOT / "deploy")
    return importlib.import_module("run")


def test_by_itself_it_names_the_command_of_the_readme(run_py: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing moved, nothing more to type than what the README says."""
    monkeypatch.setattr(run_py, "VESTIBULE", ROOT / ".venv/bin/vestibule")

    assert f"    {run_py.link_command({})}\n" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("away", [Unavailable("the database does not answer"), SchemaFault("the file is damaged")])
def test_a_database_that_is_away_at_the_welcome_stops_nothing(
    run_py: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], away: Unavailable
) -> None:
    """Who asks for an administrator in vain says so in a sentence with what to type, and both servers go on."""
    monkeypatch.setattr(run_py, "has_administrator", Mock(side_effect=away))

    run_py.welcome(load({}), {})

    address, sentence = capsys.readouterr().out.splitlines()
    assert "Vestibule is on http://localhost:8080" in address
    assert (str(away) in sentence, sentence.endswith(LINK)) == (True, True)


def test_a_link_that_cannot_be_made_stops_nothing(
    run_py: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """When `setup link` fails at a terminal, the command to try again is printed and both servers go on."""
    monkeypatch.setattr(run_py, "has_administrator", lambda _settings: False)
    monkeypatch.setattr(run_py, "finish", Mock(side_effect=subprocess.CalledProcessError(3, "setup link")))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    run_py.welcome(load({}), {})

    assert capsys.readouterr().out.splitlines()[1].endswith(f"Later: {LINK}")
