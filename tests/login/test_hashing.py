"""The hashing gate: how much goes in, and how politely."""

import ctypes
import os
import subprocess
import sys
import threading

import pytest

from service.login import hashing
from service.login.hashing import NICENESS, HashingGate, Shed
from tests.rig.parts import ROOT


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


_HASH_AND_WAIT = """
import os, time
from service.login import hashing
from service.login.passwords import Parameters, Passwords

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20

hashing.IDLE_SECONDS = 0.5
gate, passwords = hashing.HashingGate(threads=1, waiting=0), Passwords(Parameters(16 * 1024, 1, 1))
for _ in range(3):
    gate.run(lambda: passwords.hash("a password"))
kept, deadline = resident(), time.monotonic() + 20
while resident() > kept - 15 and time.monotonic() < deadline:
    time.sleep(0.01)
print(kept - resident())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="another C library than glibc")
def test_what_hashing_used_is_the_systems_again() -> None:
    """Of a process that hashed in 16 MiB and then had nothing to do, at least 15 go back."""
    given_back = subprocess.check_output([sys.executable, "-c", _HASH_AND_WAIT], cwd=ROOT)

    assert int(given_back) >= 15


def test_an_idle_gate_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once nobody has hashed for a while the memory is given back, and the next hash is like the first."""
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
