"""`vestibule calibrate`: what passwords.* may be set to, measured for us and for an attacker."""

import itertools
import shutil
import sys
import threading
from pathlib import Path
from typing import Any, Final

import pytest

from service.cli import hash_choices, hash_speed
from service.cli.hash_choices import CHOICES, another, choices
from service.cli.hash_speed import Speed
from service.login.passwords import Check, Parameters, Passwords
from service.settings import load
from tests.cli.terminal import Terminal
from tests.rig.people import CHEAP_FOR_TESTS_ONLY
from tests.rig.until import PATIENCE_SECONDS

SHORT: Final = ("calibrate", "--seconds", "0.001")


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which every hash takes 40 ms alone, 36 ms of it of a processor, and 50 a second are made at once."""

    def measure(_cost: Parameters, *, threads: int, seconds: float) -> Speed:
        assert (threads > 0, seconds) == (True, 0.001)
        return Speed(0.04, 0.036, 50)

    monkeypatch.setattr(hash_choices, "measure", measure)


def environment(cost: Parameters) -> dict[str, str]:
    """Return a choice as an operator sets it."""
    return {
        "VESTIBULE_PASSWORDS__MEMORY": f"{cost.memory_kib}k",
        "VESTIBULE_PASSWORDS__ITERATIONS": str(cost.iterations),
        "VESTIBULE_PASSWORDS__PARALLELISM": str(cost.parallelism),
    }


def test_every_choice_is_measured(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real run of the whole budget: each choice has its time, its rate, its memory and its price; one is today's."""
    monkeypatch.setenv("VESTIBULE_HASHING__THREADS", "2")
    monkeypatch.setenv("VESTIBULE_SERVER__WORKERS", "2")

    said = terminal.json(*SHORT)

    found = {(one["memory_kib"], one["iterations"], one["parallelism"]): one for one in said["choices"]}
    assert found.keys() == {(each.memory_kib, each.iterations, each.parallelism) for each in CHOICES}
    assert [key for key, one in found.items() if one["now"]] == [(19_456, 2, 1)]
    assert (said["threads"], {one["peak_memory_kib"] // one["memory_kib"] for one in found.values()}) == (2, {2})
    rates = ("milliseconds", "sign_ins_per_second", "guesses_per_second", "processor_hours_for_a_million_guesses")
    assert [one for one in found.values() if any(one[rate] <= 0 for rate in rates)] == []
    assert found[65_536, 3, 1]["gib_for_a_guess"] == 0.0625
    assert found[131_072, 3, 1]["guesses_per_second"] < found[12_288, 3, 1]["guesses_per_second"]


@pytest.mark.usefixtures("steady")
def test_words_end_in_what_to_type(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for each choice, today's marked; the last lines are settings, which another start would take."""
    monkeypatch.setenv("VESTIBULE_HASHING__THREADS", "4")
    monkeypatch.setenv("VESTIBULE_SERVER__WORKERS", "2")

    lines = terminal.said(*SHORT).splitlines()

    today = "now 19456k 2 1 40.0 ms 50.0 76 MiB 27.8 10.0 0.019 GiB"
    assert [" ".join(line.split()) for line in lines if line.startswith("now ")] == [today]
    assert lines[0].startswith("Measured with 4 threads")
    assert len([line for line in lines if line.endswith(" GiB")]) == len(CHOICES)
    typed = dict(line.strip().split("=") for line in lines[-2:])
    assert load(typed).passwords.memory == 47_104


@pytest.mark.usefixtures("steady")
def test_a_choice_of_ones_own_is_measured_too(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the settings say stands among the others in its place, marked as today's."""
    for name, value in environment(Parameters(32_768, 2, 2)).items():
        monkeypatch.setenv(name, value)

    lines = [line.split() for line in terminal.said(*SHORT).splitlines() if line.endswith(" GiB")]

    assert lines[3][:4] == ["now", "32768k", "2", "2"]
    assert len(lines) == len(CHOICES) + 1


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_the_settings_accept_every_choice(choice: Parameters) -> None:
    """Nothing is shown that would be refused at the next start."""
    assert hash_choices.present(load(environment(choice))) == choice


@pytest.mark.parametrize("now", [*CHOICES, Parameters(1_048_576, 20, 8)], ids=str)
def test_another_choice_changes_something(now: Parameters) -> None:
    """Whatever is set: what is shown to type is another of the choices, the next stronger where there is one."""
    typed = environment(now) | another(now)

    other = hash_choices.present(load(typed))
    stronger = [each for each in choices(now) if each.memory_kib * each.iterations > now.memory_kib * now.iterations]
    assert other != now
    assert other in CHOICES
    assert not stronger or other == stronger[0]


@pytest.mark.usefixtures("steady")
def test_what_memory_does_not_allow_is_not_tried(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container that is nearly full nothing is killed: those choices have a dash, or null, and their memory."""
    monkeypatch.setenv("VESTIBULE_HASHING__THREADS", "1")
    monkeypatch.setenv("VESTIBULE_SERVER__WORKERS", "1")
    monkeypatch.setattr(hash_choices, "free_memory", lambda: 47_103)

    lines = [line.split() for line in terminal.said(*SHORT).splitlines()]
    parsed: list[dict[str, Any]] = terminal.json(*SHORT)["choices"]

    assert [one["memory_kib"] for one in parsed if one["milliseconds"] is not None] == [12_288, 19_456]
    assert ["131072k", "3", "1", "-", "-", "128", "MiB", "-", "-", "0.125", "GiB"] in lines
    assert [line for line in lines if line[:1] == ["-:"]]


@pytest.mark.usefixtures("steady")
def test_it_needs_no_store_and_leaves_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It works before the first start, and where the database is gone; no file is made."""

    def gone(_self: Terminal) -> None:
        raise AssertionError("asked for a store")

    monkeypatch.setattr("service.cli.Operator.services", property(gone))
    before = sorted(tmp_path.rglob("*"))

    terminal.said(*SHORT)

    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_progress_bar_on_a_terminal_only(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool
) -> None:
    """At a terminal it shows how far it is, on standard error; in a pipe there is nothing."""
    monkeypatch.setattr("click._termui_impl.isatty", lambda _stream: is_terminal)
    monkeypatch.setattr("service.cli.calibrate.is_terminal", lambda: is_terminal)

    shown = terminal.run(*SHORT).stderr

    assert ("Hashing" in shown, "100%" in shown) == (is_terminal, is_terminal)


@pytest.mark.parametrize("seconds", ["0", "61", "-1", "soon"])
def test_usage_is_2(terminal: Terminal, seconds: str) -> None:
    """A time that is none, or that nobody wants to wait for, is refused before anything is measured."""
    terminal.refused("calibrate", "--seconds", seconds, code=2)


def test_faults_in_the_settings_are_1(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters that the service would refuse are not measured either."""
    monkeypatch.setenv("VESTIBULE_PASSWORDS__MEMORY", "1k")

    assert "VESTIBULE_PASSWORDS__MEMORY" in terminal.refused("calibrate")


class Meeting(Passwords):
    """Hashes of which all but the first wait until three are at it."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._calls = itertools.count()
        self._three = threading.Barrier(3, timeout=PATIENCE_SECONDS)

    def check(self, password_hash: str | None, password: str) -> Check:
        """Check once the others are here."""
        if next(self._calls):
            self._three.wait()
        return super().check(password_hash, password)


def test_all_threads_hash_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign-ins a second are those of the whole budget at the same time, as in a flood, and nothing computed."""
    monkeypatch.setattr(hash_speed, "Passwords", Meeting)

    speed = hash_speed.measured_here(CHEAP_FOR_TESTS_ONLY, threads=3, seconds=1e-9)

    assert speed.per_second > 0


def test_a_measuring_that_is_killed_is_a_choice_without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory ran out all the same, what was killed is the measuring, and the others go on."""
    monkeypatch.setattr(sys, "executable", shutil.which("false"))

    assert hash_choices.measured(CHEAP_FOR_TESTS_ONLY, threads=1, seconds=1e-9).speed is None
