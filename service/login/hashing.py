"""The gate: a bounded pool of low-priority threads that hash, and refuses what it cannot serve soon.

argon2 releases the interpreter lock, so hashing would take every core from the people who are in.
The pool is small (one budget for all workers), its threads are nice to everybody else, and its queue is
short: beyond it the answer is "busy" at once, which costs an attacker's flood nothing but the attacker.
"""

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

Result = TypeVar("Result")
NICENESS: Final = 10
IDLE_SECONDS: Final = 2.0
_TRIM_THRESHOLD: Final = -1
_OF_SOME_SIZE: Final = 256 * 1024
_KEPT_WHILE_BUSY: Final = 64 * 1024 * 1024
_Answer = SimpleQueue[tuple[Any, BaseException | None]]


class Shed(Enum):
    """The gate is full: the work was not started and nothing was written."""

    BUSY = "busy"


class HashingGate:
    """Runs work in at most `threads` threads, with at most `waiting` more in line.

    Threads start at first use, which is in a worker: threads made before the fork would be gone after it.
    """

    def __init__(self, *, threads: int, waiting: int) -> None:
        self.threads = threads
        self._places = threading.BoundedSemaphore(threads + waiting)
        self._line: SimpleQueue[tuple[Callable[[], Any], _Answer]] = SimpleQueue()
        self._opening = threading.Lock()
        self._is_open = False

    def run(self, work: Callable[[], Result]) -> Result | Shed:
        """Return what `work` returns, or Shed.BUSY at once when the line is full."""
        if not self._places.acquire(blocking=False):
            return Shed.BUSY
        try:
            self._open()
            answer: _Answer = SimpleQueue()
            self._line.put((work, answer))
            result: Result
            result, fault = answer.get()
        finally:
            self._places.release()
        if fault is not None:
            raise fault
        return result

    def _open(self) -> None:
        with self._opening:
            if not self._is_open:
                for number in range(self.threads):
                    threading.Thread(target=self._hash, name=f"hash-{number}", daemon=True).start()
                self._is_open = True

    def _hash(self) -> None:
        _step_back()
        while True:
            work, answer = self._next()
            try:
                answer.put((work(), None))
            except BaseException as fault:  # noqa: BLE001 - the caller's to see, whatever it is
                answer.put((None, fault))
            del work, answer  # with them goes the password

    def _next(self) -> tuple[Callable[[], Any], _Answer]:
        try:
            return self._line.get(timeout=IDLE_SECONDS)
        except Empty:
            _give_memory_back()
            return self._line.get()


def _step_back() -> None:
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
