"""`vestibule status`, the command: its exit codes, its JSON, colours, and waiting."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Final, NoReturn, cast

import pytest
from click.testing import CliRunner, Result

from service import RELEASE
from service.cli import Operator, Upkeep, status, vestibule
from service.cli.doctor.findings import EXIT_CODES, State
from service.services.store_state import Answer, StoreState
from tests.cli.status_example import EVENING
from tests.cli.terminal import Terminal

STORES: Final = replace(EVENING.stores, last_backup=2**40)
AWAY: Final = StoreState(Answer("PostgreSQL", fault="the server did not answer"), Answer("Redis", fault="no server"))


def _never(*_: object) -> NoReturn:
    raise AssertionError("status builds, upgrades and writes nothing")


def _run(*typed: str, stores: StoreState = STORES, is_terminal: bool = False) -> Result:
    upkeep = cast("Upkeep", SimpleNamespace(read_stores=lambda _: stores))
    operator = Operator(_never, lambda: upkeep, _never, _never)
    return CliRunner().invoke(vestibule, ["status", *typed], obj=operator, prog_name="vestibule", color=is_terminal)


@pytest.mark.usefixtures("terminal")
def test_json_says_the_same() -> None:
    """One object: the worst state, and each check with its facts."""
    shown = _run("--json")
    said = json.loads(shown.stdout)
    checks = {each["check"]: each for each in said["checks"]}

    assert (shown.exit_code, said["state"], said["release"]) == (2, "fault", RELEASE)  # no service runs
    assert (checks["sign-ins"]["granted"], checks["sign-ins"]["granted_the_day_before"]) == (12, 14)
    assert (checks["tables"]["pending"], checks["tables"]["oldest_release"]) == (False, "0.1.0")
    assert checks["backup"]["age_seconds"] == 0  # a clock that was ahead


@pytest.mark.usefixtures("terminal")
def test_settings_that_are_refused_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is named, and the exit code is 2: a service with them does not start."""
    monkeypatch.setenv("VESTIBULE_SERVER__THREADS", "many")

    shown = _run()

    assert shown.exit_code == EXIT_CODES[State.FAULT]
    assert "VESTIBULE_SERVER__THREADS must be" in shown.stdout
    assert "-> vestibule config check" in shown.stdout
    assert json.loads(_run("--json").stdout)["address"] is None


def test_files_of_apps_that_are_not_in_force_are_named(terminal: Terminal, tmp_path: Path) -> None:
    """A file that was added, and one with a fault, are a warning until `proxy render` has put them in force."""
    file = tmp_path / "apps.d" / "wiki.toml"
    file.parent.mkdir()

    def apps() -> tuple[str, str]:
        checks = json.loads(_run("--json").stdout)["checks"]
        return next((each["state"], each["what"]) for each in checks if each["check"] == "apps")

    none = apps()
    wiki = 'address = "http://localhost:8091"\nupstream = "http://127.0.0.1:1"\n[[rules]]\nallow = "everyone"\n'
    file.write_text(wiki)
    added = apps()
    terminal.said("proxy", "render")
    rendered = apps()
    file.write_text("nonsense")

    differing = "; the files of apps.d are others"
    assert (none, rendered) == (("ok", "0 in force"), ("ok", "1 in force"))
    assert (added, apps()) == (("warning", f"0 in force{differing}"), ("warning", f"1 in force{differing}"))


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("environ", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_is_for_terminals(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], *, is_coloured: bool
) -> None:
    """What is piped or kept in a log has no control characters, and a terminal none where it must not have them."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert ("\x1b" in _run().stdout, "\x1b" in _run(is_terminal=True).stdout) == (False, is_coloured)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("end", [KeyboardInterrupt, RuntimeError, MemoryError])
def test_a_look_that_ends_early_is_2(monkeypatch: pytest.MonkeyPatch, end: type[BaseException]) -> None:
    """Interrupted, or with a fault of its own, the command saw nothing: Python's 1 would let a deployment go on."""

    def ends(_: object) -> NoReturn:
        raise end

    monkeypatch.setattr(status.service_state, "read", ends)

    assert (_run().exit_code, _run("--wait", "1s", "--json").stdout) == (2, "")


@pytest.mark.usefixtures("terminal")
def test_a_wait_that_is_over_says_what_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --wait the command says what it waits for, and ends with the exit code of what it saw last."""
    monkeypatch.setattr(status, "_SAY_SECONDS", 0)

    shown = _run("--wait", "1s", stores=AWAY)

    assert shown.exit_code == 2
    assert {*shown.stderr.splitlines()} == {"waiting: service, database"}
    assert shown.stdout.endswith("fault: service, database; warning: counters\n")
