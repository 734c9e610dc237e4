"""The gate: a bounded pool of low-priority threads that hash, and refuses what it cannot serve soon.

argon2 releases the interpreter lock, so hashing would take every core from the people who are in.
The pool is small (one budget for all workers), its threads are nice to everybody else, and the lines before them
(`queue.py`) are short: beyond them the answer is "busy" at once, without a hash.
"""

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar, cast

from service.hashing.fair_queue import FairQueues, Job, Key

Result = TypeVar("Result")
NICENESS: Final = 10
IDLE_SECONDS: Final = 2.0
LONGEST_WAIT_SECONDS: Final = 0.7  # an answer comes within a second, and the hash itself takes its time
_REMEMBERED: Final = 16  # about so many hashes make up what is usual
_TRIM_THRESHOLD: Final = -1
_OF_SOME_SIZE: Final = 256 * 1024
_KEPT_WHILE_BUSY: Final = 64 * 1024 * 1024


class Shed(Enum):
    """There was no place in line, or it went to somebody with a better right: nothing was hashed."""

    BUSY = "busy"


class Observer:
    """Who is told what the gate does, in the threads of those who ask; this one does not care."""

    def joined(self) -> None:
        """Somebody has a place."""

    def left(self) -> None:
        """Somebody gave the place back."""

    def hashed(self, *, waited: float, took: float) -> None:
        """Work was done: seconds in the line, seconds of work."""

    def shed(self) -> None:
        """Somebody was turned away."""


class Slot:
    """A place at the gate, held until the `with` block around it ends."""

    def __init__(self, gate: "HashingGate", job: Job) -> None:
        self._gate = gate
        self._waiter = job

    def run(self, work: Callable[[], Result]) -> Result | Shed:
        """Return what `work` returns; Shed.BUSY when the place went to somebody else before its turn came."""
        return self._gate.work(self._waiter, work)


@dataclass(frozen=True, slots=True)
class _Done:
    result: Any
    fault: BaseException | None
    began: float
    ended: float


class HashingGate:
    """Runs work in at most `threads` threads, with at most `waiting` more in line; fewer when hashes take long.

    Threads start at first use, which is in a worker: threads made before the fork would be gone after it. `timer`
    reads the seconds of a clock that never jumps.
    """

    def __init__(self, *, threads: int, waiting: int, timer: Callable[[], float]) -> None:
        self.threads = threads
        self._waiting = waiting
        self._usual = 0.0
        self.observer = Observer()
        self._timer = timer
        self._queues = FairQueues()
        self._hashing = 0
        self._changed = threading.Condition()
        self._is_open = False

    @contextmanager
    def slot(self, key: Key) -> Iterator[Slot | Shed]:
        """Hold a place in the name of a network or of somebody known; Shed.BUSY at once when there is none."""
        job = self._join(key)
        if job is None:
            self.observer.shed()
            yield Shed.BUSY
            return
        try:
            self.observer.joined()
            yield Slot(self, job)
        finally:
            with self._changed:
                self._queues.leave(job)
            self.observer.left()

    def _join(self, key: Key) -> Job | None:
        with self._changed:
            free = self.threads - self._hashing
            job, evicted = self._queues.join(key, free=free, places=self._places())
        if evicted is not None:
            evicted.answer.put(Shed.BUSY)
        return job

    def _places(self) -> int:
        """Return how many may wait so that the last of them is served in time, as hashes go at present."""
        if not self._usual:
            return self._waiting
        return min(self._waiting, max(1, int(LONGEST_WAIT_SECONDS * self.threads / self._usual)))

    def work(self, job: Job, work: Callable[[], Result]) -> Result | Shed:
        """Have a thread do the work of somebody who has a place, and wait until it is done."""
        asked = self._timer()
        with self._changed:
            if not job.is_evicted:
                job.work = work
                self._open()
                self._changed.notify()
        done: _Done | Shed = job.answer.get()
        if isinstance(done, Shed):
            self.observer.shed()
            return done
        self.observer.hashed(waited=done.began - asked, took=done.ended - done.began)
        if done.fault is not None:
            raise done.fault
        result: Result = done.result
        return result

    def _open(self) -> None:
        if not self._is_open:
            self._is_open = True
            for number in range(self.threads):
                threading.Thread(target=self._hash, name=f"hash-{number}", daemon=True).start()

    def _hash(self) -> None:
        lower_priority()
        while True:
            job = self._next()
            began = self._timer()
            try:
                result, fault = cast("Callable[[], Any]", job.work)(), None
            except BaseException as raised:  # noqa: BLE001 - the caller's to see, whatever it is
                result, fault = None, raised
            ended = self._timer()
            with self._changed:
                self._hashing -= 1
                self._usual += (ended - began - self._usual) / (_REMEMBERED if self._usual else 1)
            job.answer.put(_Done(result, fault, began, ended))
            del job, result, fault  # with them goes the password

    def _next(self) -> Job:
        job = self._taken(IDLE_SECONDS)
        if job is None:
            _give_memory_back()
            job = self._taken(None)
        return cast("Job", job)

    def _taken(self, timeout: float | None) -> Job | None:
        """Take the first who is ready out of the line; None when nobody was in that time."""
        with self._changed:
            job = self._changed.wait_for(self._queues.next, timeout)
            self._hashing += job is not None
        return job


def lower_priority() -> None:
    """Lower the priority of this thread alone (Linux schedules threads; elsewhere nothing changes).

    A process that was started nicer than that stays as it is: raising a priority needs rights that we do not have.
    """
    if sys.platform == "linux":  # pragma: no branch - elsewhere hashing shares the process's priority
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _give_memory_back() -> None:
    """Return to the system what glibc keeps for this thread's next hash: 19 MiB a thread are a lot to keep for nobody.

    malloc_trim(3) returns what lies between other things, but leaves alone the end of a thread's heap. glibc cuts that
    off when something of some size is freed there, down to a threshold (mallopt(3)).
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # pragma: no branch - other C libraries keep nothing of that size
        libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        libc.malloc_trim(0)
        libc.mallopt(_TRIM_THRESHOLD, 0)
        libc.free(libc.malloc(_OF_SOME_SIZE))
        libc.mallopt(_TRIM_THRESHOLD, _KEPT_WHILE_BUSY)
