"""`vestibule calibrate`: what passwords.* may be set to, measured for sign-ins and for an attacker."""

import itertools
import shutil
import sys
import threading
from pathlib import Path
from typing import Any, Final

import pytest

from service.cli import calibrate as room
from service.cli.calibrate import speed
from service.cli.calibrate.speed import Speed
from service.login.passwords import Check, Parameters, Passwords
from service.settings import load
from tests.cli.terminal import Terminal
from tests.rig.people import CHEAP_FOR_TESTS_ONLY
from tests.rig.until import PATIENCE_SECONDS

SHORT: Final = ("calibrate", "--seconds", "0.001")


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which every hash takes 36 ms of a processor, and 50 a second are made at once."""

    def measure(_cost: Parameters, *, threads: int, seconds: float) -> Speed:
        assert (threads > 0, seconds) == (True, 0.001)
        return Speed(0.036, 50)

    monkeypatch.setattr(room, "measure", measure)


def environment(memory_kib: int, iterations: int, parallelism: int) -> dict[str, str]:
    """Return a choice as an operator sets it."""
    return {
        "VESTIBULE_PASSWORDS__MEMORY": f"{memory_kib}k",
        "VESTIBULE_PASSWORDS__ITERATIONS": str(iterations),
        "VESTIBULE_PASSWORDS__PARALLELISM": str(parallelism),
    }


def test_every_choice_is_measured(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real run of the whole budget: each choice has its rate, its memory and its price; one is the present one."""
    monkeypatch.setenv("VESTIBULE_HASHING__THREADS", "2")
    monkeypatch.setenv("VESTIBULE_SERVER__WORKERS", "2")

    said = terminal.json(*SHORT)

    found = {(one["memory_kib"], one["iterations"], one["parallelism"]): one for one in said["choices"]}
    assert found.keys() == set(room.CHOICES)
    assert [key for key, one in found.items() if one["now"]] == [(19_456, 2, 1)]
    assert (said["threads"], {one["peak_memory_kib"] // one["memory_kib"] for one in found.values()}) == (2, {2})
    rates = ("sign_ins_per_second", "guesses_per_second", "processor_hours_for_a_million_guesses")
    assert [one for one in found.values() if any(one[rate] <= 0 for rate in rates)] == []
    assert found[131_072, 3, 1]["guesses_per_second"] < found[12_288, 3, 1]["guesses_per_second"]


@pytest.mark.usefixtures("steady")
def test_a_line_for_each_choice(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign-ins, memory and the price of a guess; the present choice is marked, and shown as it is typed."""
    for name, value in (environment(32_768, 2, 2) | {"VESTIBULE_HASHING__THREADS": "4"}).items():
        monkeypatch.setenv(name, value)

    lines = [line.split() for line in terminal.said(*SHORT).splitlines()]

    assert lines[0][:4] == ["Measured", "with", "4", "threads,"]
    assert [line for line in lines if line[0] == "now"] == [
        ["now", "32768k", "2", "2", "50.0", "128", "MiB", "27.8", "10.0"]
    ]
    assert len([line for line in lines if line[-2:] == ["27.8", "10.0"]]) == len(room.CHOICES) + 1
    assert dict(word.split("=") for word in lines[-1]) == environment(32_768, 2, 2)


@pytest.mark.parametrize("choice", room.CHOICES, ids=str)
def test_the_settings_accept_every_choice(choice: tuple[int, int, int]) -> None:
    """Nothing is shown that the next start would refuse."""
    chosen = load(environment(*choice)).passwords

    assert (chosen.memory, chosen.iterations, chosen.parallelism) == choice


def test_what_memory_does_not_allow_is_not_tried(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container that is nearly full nothing is killed: those choices have a dash, or null, and their memory."""
    for name in ("VESTIBULE_HASHING__THREADS", "VESTIBULE_SERVER__WORKERS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(speed, "free_memory", lambda: 19_455)

    lines = [line.split() for line in terminal.said(*SHORT).splitlines()]
    parsed: list[dict[str, Any]] = terminal.json(*SHORT)["choices"]

    assert [one["memory_kib"] for one in parsed if one["sign_ins_per_second"] is not None] == [12_288]
    assert ["131072k", "3", "1", "-", "128", "MiB", "-", "-"] in lines


@pytest.mark.usefixtures("steady")
def test_it_needs_no_store_and_leaves_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It works before the first start, and without a database; no file is made."""

    def gone(_self: Terminal) -> None:
        raise AssertionError("asked for a store")

    monkeypatch.setattr("service.cli.Operator.services", property(gone))
    before = sorted(tmp_path.rglob("*"))

    terminal.said(*SHORT)

    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("seconds", ["0", "61", "-1", "soon"])
def test_usage_is_2(terminal: Terminal, seconds: str) -> None:
    """A time that cannot be read, or is too long to wait for, is refused before anything is measured."""
    terminal.refused("calibrate", "--seconds", seconds, code=2)


def test_faults_in_the_settings_are_1(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters that the service would refuse are not measured either."""
    monkeypatch.setenv("VESTIBULE_PASSWORDS__MEMORY", "1k")

    assert "VESTIBULE_PASSWORDS__MEMORY" in terminal.refused("calibrate")


class Meeting(Passwords):
    """Hashes of which the first three wait for one another."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._calls = itertools.count()
        self._three = threading.Barrier(3, timeout=PATIENCE_SECONDS)

    def check(self, password_hash: str | None, password: str) -> Check:
        """Check once the others are here."""
        if next(self._calls) < 3:
            self._three.wait()
        return super().check(password_hash, password)


def test_all_threads_hash_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign-ins a second are those of the whole budget at the same time, as in a flood."""
    monkeypatch.setattr(speed, "Passwords", Meeting)

    measured = speed.measured_here(CHEAP_FOR_TESTS_ONLY, threads=3, seconds=1e-9)

    assert measured.per_second > 0
    assert measured.processor_seconds > 0


def test_a_measuring_that_is_killed_is_a_choice_without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory runs out all the same, the measuring process is killed, and the others go on."""
    monkeypatch.setattr(sys, "executable", shutil.which("false"))

    assert speed.measure(CHEAP_FOR_TESTS_ONLY, threads=1, seconds=1e-9) is None
