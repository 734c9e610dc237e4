"""The hashing gate: how much goes in, and how politely."""

import os
import threading

import pytest

from service.login import hashing
from service.login.hashing import NICENESS, HashingGate, Shed


def test_beyond_the_line_the_answer_is_busy_at_once() -> None:
    """One is served, one waits, the third is turned away; afterwards there is room again."""
    gate, started, finish = HashingGate(threads=1, waiting=1), threading.Event(), threading.Event()
    results: list[object] = []

    def slow() -> str:
        started.set()
        finish.wait()
        return "done"

    inside = [threading.Thread(target=lambda: results.append(gate.run(slow))) for _ in range(2)]
    for thread in inside:
        thread.start()
    started.wait()
    while gate.run(lambda: "in between") is not Shed.BUSY:
        started.wait()
    finish.set()
    for thread in inside:
        thread.join()

    assert results == ["done", "done"]
    assert gate.run(lambda: "room again") == "room again"


def test_hashing_threads_step_back() -> None:
    """Hashing runs at a lower priority than answering."""
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    inside = HashingGate(threads=1, waiting=0).run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    assert inside == min(own + NICENESS, 19) or inside == NICENESS


def test_an_error_inside_comes_out_and_frees_the_place() -> None:
    """A malfunction is the caller's to see, and the gate goes on."""
    gate = HashingGate(threads=1, waiting=0)

    for _ in range(3):
        try:
            gate.run(lambda: 1 // 0)
        except ZeroDivisionError:
            continue

    assert gate.run(lambda: "fine") == "fine"


def test_an_idle_gate_gives_its_memory_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once nobody has hashed for a while the memory goes back to the system, and the gate goes on."""
    idle, give_back = threading.Event(), hashing._give_memory_back

    def watched() -> None:
        give_back()
        idle.set()

    monkeypatch.setattr(hashing, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(hashing, "_give_memory_back", watched)
    gate = HashingGate(threads=1, waiting=0)

    before = gate.run(lambda: "before")

    assert idle.wait(20)
    assert (before, gate.run(lambda: "after")) == ("before", "after")


def test_a_process_of_low_priority_hashes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system forbids to change the priority, the gate hashes at the one that it has."""

    def forbidden(*_arguments: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", forbidden)

    assert HashingGate(threads=1, waiting=0).run(lambda: "done") == "done"
