"""The hashing gate: how much goes in, and how politely."""

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from service.hashing import gate as hashing_gate
from service.hashing.fair_queue import Key
from service.hashing.gate import NICENESS, HashingGate, Observer, Shed, Slot
from tests.rig.gates import SEAT, Gate
from tests.rig.parts import ROOT
from tests.rig.until import until


class Seen(Observer):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.inside = self.turned_away = 0
        self.times: list[tuple[float, float]] = []

    def joined(self) -> None:
        self.inside += 1

    def left(self) -> None:
        self.inside -= 1

    def hashed(self, *, waited: float, took: float) -> None:
        self.times.append((waited, took))

    def shed(self) -> None:
        self.turned_away += 1


class Busy:
    """A gate of one thread that is at work until it is told to finish; more may wait behind it."""

    def __init__(self, *, waiting: int) -> None:
        self.gate, self.finish = Gate(threads=1, waiting=waiting), threading.Event()
        self.gate.observer = self.seen = Seen()
        self.results: dict[str, object] = {}
        self._threads: list[threading.Thread] = []
        started = threading.Event()

        def work() -> str:
            started.set()
            self.finish.wait()
            return "done"

        self._begin("first", work)
        assert started.wait(20)

    def wait(self, name: str, *, is_known: bool = False) -> None:
        """Have somebody come who waits, and return when they have their place, or were turned away."""
        before = len(self.seen_of_line()) + self.seen.turned_away
        self._begin(name, lambda: name, is_known=is_known)
        until(lambda: len(self.seen_of_line()) + self.seen.turned_away > before or name in self.results, "they came")

    def seen_of_line(self) -> list[str]:
        """Return who waits and is ready."""
        lines = self.gate._queues
        waiting = [*lines._known._waiting, *lines._others._waiting]
        return [job.key.name for job in waiting if job.work is not None]

    def end(self) -> dict[str, object]:
        """Let everybody finish; return what each of them got."""
        self.finish.set()
        for thread in self._threads:
            thread.join(20)
        return self.results

    def _begin(self, name: str, work: Callable[[], object], *, is_known: bool = False) -> None:
        def come() -> None:
            self.results[name] = self.gate.run(work, Key(name, is_known=is_known))

        self._threads.append(threading.Thread(target=come, daemon=True))
        self._threads[-1].start()


def test_beyond_the_line_the_answer_is_busy_at_once() -> None:
    """One is served, one waits, the third is turned away; afterwards there is room again."""
    busy = Busy(waiting=1)
    busy.wait("second")

    third = busy.gate.run(lambda: "in between", Key("third"))
    results = busy.end()

    assert (third, results["second"]) == (Shed.BUSY, "second")
    assert busy.gate.run(lambda: "room again") == "room again"


def test_a_place_is_kept_for_a_known_device() -> None:
    """When the line is full of strangers a browser that signed in before is served all the same."""
    busy = Busy(waiting=1)
    busy.wait("a stranger")

    busy.wait("a known device", is_known=True)

    assert busy.end() == {"first": "done", "a stranger": "a stranger", "a known device": "a known device"}


def test_who_comes_often_is_pushed_out_by_who_does_not() -> None:
    """A flood from one network gives its place in a full line to a network that has not come before."""
    busy = Busy(waiting=1)
    busy.gate._queues._others._count("a flood")
    busy.wait("a flood")

    busy.wait("somebody new")

    results = busy.end()
    assert (results["a flood"], results["somebody new"]) == (Shed.BUSY, "somebody new")
    assert busy.seen.turned_away == 1


def test_who_lost_the_place_before_saying_what_to_do_is_told_so() -> None:
    """Between taking a place and using it others may come with a better right."""
    busy = Busy(waiting=1)
    busy.gate._queues._others._count("a flood")

    with busy.gate.slot(Key("a flood")) as slot:
        busy.wait("somebody new")
        assert isinstance(slot, Slot)
        outcome = slot.run(lambda: "done")

    assert outcome is Shed.BUSY
    assert busy.end()["somebody new"] == "somebody new"


def test_a_place_that_is_not_used_is_free_again() -> None:
    """Whoever is refused for another reason leaves the line."""
    busy = Busy(waiting=1)

    with busy.gate.slot(Key("refused")):
        pass
    busy.wait("next")

    assert busy.end()["next"] == "next"


def test_the_line_is_as_long_as_it_can_be_served_in_time() -> None:
    """When a hash takes half a second, of twenty places one is left: an answer comes within a second."""
    moments = iter(half / 2 for half in range(1000))
    gate = HashingGate(threads=1, waiting=20, timer=lambda: next(moments))

    before = gate._places()
    with gate.slot(SEAT) as slot:
        assert isinstance(slot, Slot)
        slot.run(lambda: None)

    assert (before, gate._places()) == (20, 1)


def test_what_happens_at_the_gate_is_told() -> None:
    """Who is inside, how long it took, and who was turned away: for the metrics."""
    busy = Busy(waiting=0)

    busy.gate.run(lambda: "shed", Key("another"))
    inside = busy.seen.inside
    busy.end()

    assert (inside, busy.seen.inside, busy.seen.turned_away, len(busy.seen.times)) == (1, 0, 1, 1)


def test_hashing_threads_step_back() -> None:
    """Hashing runs at a lower priority than answering."""
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    inside = Gate(threads=1, waiting=0).run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    assert inside == min(own + NICENESS, 19) or inside == NICENESS


def test_an_error_inside_comes_out_and_frees_the_place() -> None:
    """A malfunction is the caller's to see, and the gate goes on."""
    gate = Gate(threads=1, waiting=0)

    for _ in range(3):
        try:
            gate.run(lambda: 1 // 0)
        except ZeroDivisionError:
            continue

    assert gate.run(lambda: "fine") == "fine"


_HASH_AND_WAIT = """
import os, time
from service.hashing import gate as hashing
from service.login.passwords import Parameters, Passwords
from tests.rig.gates import Gate

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20

hashing.IDLE_SECONDS = 0.5
gate, passwords = Gate(threads=1, waiting=0), Passwords(Parameters(16 * 1024, 1, 1))
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
    idle, give_back = threading.Event(), hashing_gate._give_memory_back

    def watched() -> None:
        give_back()
        idle.set()

    monkeypatch.setattr(hashing_gate, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(hashing_gate, "_give_memory_back", watched)
    gate = Gate(threads=1, waiting=0)

    before = gate.run(lambda: "before")

    assert idle.wait(20)
    assert (before, gate.run(lambda: "after")) == ("before", "after")


def test_a_process_of_low_priority_hashes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system forbids to change the priority, the gate hashes at the one that it has."""

    def forbidden(*_arguments: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", forbidden)

    assert Gate(threads=1, waiting=0).run(lambda: "done") == "done"
