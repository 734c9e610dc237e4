"""The hashing gate: how much it takes in, and at which priority."""

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from service.hashing import gate as hashing_gate
from service.hashing import threads
from service.hashing.fair_queue import Key
from service.hashing.gate import HashingGate, Observer, Shed, Slot
from service.hashing.threads import NICENESS
from tests.rig.gates import KEY, Gate
from tests.rig.parts import ROOT
from tests.rig.until import until


class Seen(Observer):
    """Counts what it is told."""

    def __init__(self) -> None:
        self.inside = self.sheds = 0
        self.times: list[tuple[float, float]] = []

    def joined(self) -> None:
        self.inside += 1

    def left(self) -> None:
        self.inside -= 1

    def hashed(self, *, waited: float, took: float) -> None:
        self.times.append((waited, took))

    def shed(self) -> None:
        self.sheds += 1


class Busy:
    """A gate whose one thread works until it is told to finish; more jobs may wait."""

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
        """Start a job in a thread of its own, and return when it waits in its queue, or was shed."""
        before = len(self.ready()) + self.seen.sheds
        self._begin(name, lambda: name, is_known=is_known)
        until(lambda: len(self.ready()) + self.seen.sheds > before or name in self.results, "the job came")

    def ready(self) -> list[str]:
        """Return the keys of the jobs that are ready."""
        queues = self.gate._queues
        waiting = [*queues._known._waiting, *queues._others._waiting]
        return [job.key.name for job in waiting if job.work is not None]

    def end(self) -> dict[str, object]:
        """Let all jobs finish; return their results."""
        self.finish.set()
        for thread in self._threads:
            thread.join(20)
        return self.results

    def _begin(self, name: str, work: Callable[[], object], *, is_known: bool = False) -> None:
        def come() -> None:
            self.results[name] = self.gate.run(work, Key(name, is_known=is_known))

        self._threads.append(threading.Thread(target=come, daemon=True))
        self._threads[-1].start()


def test_beyond_the_queue_a_job_is_shed_at_once() -> None:
    """One job is served, one waits, the third is shed; afterwards there is room again."""
    busy = Busy(waiting=1)
    busy.wait("second")

    third = busy.gate.run(lambda: "in between", Key("third"))
    results = busy.end()

    assert (third, results["second"]) == (Shed.BUSY, "second")
    assert busy.gate.run(lambda: "room again") == "room again"


def test_a_place_is_kept_for_a_known_device() -> None:
    """When the queue of the others is full, a known device is served all the same."""
    busy = Busy(waiting=1)
    busy.wait("another")

    busy.wait("a known device", is_known=True)

    assert busy.end() == {"first": "done", "another": "another", "a known device": "a known device"}


def test_a_frequent_key_is_evicted_for_a_new_one() -> None:
    """In a full queue a flood from one network loses its place to a network that has not come before."""
    busy = Busy(waiting=1)
    busy.gate._queues._others._count("a flood")
    busy.wait("a flood")

    busy.wait("a new one")

    results = busy.end()
    assert (results["a flood"], results["a new one"]) == (Shed.BUSY, "a new one")
    assert busy.seen.sheds == 1


def test_a_job_that_is_evicted_before_it_has_work_is_shed() -> None:
    """Between holding a slot and using it the job may be evicted."""
    busy = Busy(waiting=1)
    busy.gate._queues._others._count("a flood")

    with busy.gate.slot(Key("a flood")) as slot:
        busy.wait("a new one")
        assert isinstance(slot, Slot)
        outcome = slot.run(lambda: "done")

    assert outcome is Shed.BUSY
    assert busy.end()["a new one"] == "a new one"


def test_a_slot_that_is_not_used_is_free_again() -> None:
    """A request that is refused for another reason leaves the queue."""
    busy = Busy(waiting=1)

    with busy.gate.slot(Key("refused")):
        pass
    busy.wait("next")

    assert busy.end()["next"] == "next"


def test_the_queue_is_as_long_as_it_can_be_served_in_time() -> None:
    """When a hash takes half a second, of twenty places one is left: an answer comes within a second."""
    moments = iter(half / 2 for half in range(1000))
    gate = HashingGate(threads=1, waiting=20, timer=lambda: next(moments))

    before = gate._places()
    with gate.slot(KEY) as slot:
        assert isinstance(slot, Slot)
        slot.run(lambda: None)

    assert (before, gate._places()) == (20, 1)


def test_an_observer_sees_what_the_gate_does() -> None:
    """The jobs inside, the times that they took, and the shed ones: for the metrics."""
    busy = Busy(waiting=0)

    busy.gate.run(lambda: "shed", Key("another"))
    inside = busy.seen.inside
    busy.end()

    assert (inside, busy.seen.inside, busy.seen.sheds, len(busy.seen.times)) == (1, 0, 1, 1)


def test_hashing_threads_have_a_lower_priority() -> None:
    """Hashing runs at a lower priority than answering."""
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    inside = Gate(threads=1, waiting=0).run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    assert inside == min(own + NICENESS, 19) or inside == NICENESS


def test_an_error_inside_comes_out_and_frees_the_slot() -> None:
    """A malfunction is raised at the caller, and the gate goes on."""
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
def test_the_memory_of_hashes_is_returned() -> None:
    """A process that hashed in 16 MiB returns at least 15 of them when it is idle."""
    given_back = subprocess.check_output([sys.executable, "-c", _HASH_AND_WAIT], cwd=ROOT)

    assert int(given_back) >= 15


def test_an_idle_gate_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """When there was no job for a while the memory is returned, and the next hash is like the first."""
    idle, returned = threading.Event(), threads.return_memory

    def watched() -> None:
        returned()
        idle.set()

    monkeypatch.setattr(hashing_gate, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(hashing_gate, "return_memory", watched)
    gate = Gate(threads=1, waiting=0)

    before = gate.run(lambda: "before")

    assert idle.wait(20)
    assert (before, gate.run(lambda: "after")) == ("before", "after")


def test_a_process_of_low_priority_hashes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system refuses to change the priority, the gate hashes at the present one."""

    def forbidden(*_arguments: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", forbidden)

    assert Gate(threads=1, waiting=0).run(lambda: "done") == "done"
