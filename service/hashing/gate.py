"""The hashing gate: a bounded pool of low-priority threads; what it cannot serve soon is shed.

argon2 releases the interpreter lock, so without a bound hashing would take every core from other requests. The pool is
small (one budget for all workers), and so are its fair queues: beyond them a request is shed at once, without a hash.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar, cast

from service.hashing.fair_queue import FairQueues, Job, Key
from service.hashing.threads import lower_priority, return_memory

Result = TypeVar("Result")
IDLE_SECONDS: Final = 2.0
LONGEST_WAIT_SECONDS: Final = 0.7  # the answer is due within a second, and the hash takes its time
_AVERAGED: Final = 16  # the weight of the usual time against that of the latest hash


class Shed(Enum):
    """There was no place in the queue, or the job was evicted: nothing was hashed."""

    BUSY = "busy"


class Observer:
    """Is told what the gate does, in the threads of its callers. `waited` and `took` are seconds."""

    def joined(self) -> None: ...
    def left(self) -> None: ...
    def hashed(self, *, waited: float, took: float) -> None: ...
    def shed(self) -> None: ...


class Slot:
    """A place at the gate, held until the `with` block around it ends."""

    def __init__(self, gate: "HashingGate", job: Job) -> None:
        self._gate = gate
        self._job = job

    def run(self, work: Callable[[], Result]) -> Result | Shed:
        """Return what `work` returns; Shed.BUSY when the job was evicted before its turn."""
        return self._gate.work(self._job, work)


@dataclass(frozen=True, slots=True)
class _Done:
    result: Any
    fault: BaseException | None
    began: float
    ended: float


class HashingGate:
    """Runs work in at most `threads` threads, with at most `waiting` more jobs in the queues; fewer for slow hashes.

    Threads start at first use, which is in a worker: threads do not survive a fork. `timer` reads the seconds of a
    monotonic clock.
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
        """Hold a slot under this key; Shed.BUSY at once when there is no place."""
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
        """Return how many jobs may wait so that the last one is served in time, at the usual time of a hash."""
        if not self._usual:
            return self._waiting
        return min(self._waiting, max(1, int(LONGEST_WAIT_SECONDS * self.threads / self._usual)))

    def work(self, job: Job, work: Callable[[], Result]) -> Result | Shed:
        """Have a thread do the work of a job, and wait until it is done."""
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
            except BaseException as raised:  # noqa: BLE001 - raised again in the thread of the caller
                result, fault = None, raised
            ended = self._timer()
            with self._changed:
                self._hashing -= 1
                self._usual += (ended - began - self._usual) / (_AVERAGED if self._usual else 1)
            job.answer.put(_Done(result, fault, began, ended))
            del job, result, fault  # the job's work holds the password

    def _next(self) -> Job:
        job = self._taken(IDLE_SECONDS)
        if job is None:
            return_memory()
            job = self._taken(None)
        return cast("Job", job)

    def _taken(self, timeout: float | None) -> Job | None:
        """Take the next job out of the queues; None when there was none in that time."""
        with self._changed:
            job = self._changed.wait_for(self._queues.next, timeout)
            self._hashing += job is not None
        return job
