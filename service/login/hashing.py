"""The gate: a bounded pool of low-priority threads that hash, and refuses what it cannot serve soon.

argon2 releases the interpreter lock, so hashing would take every core from the people who are in.
The pool is small (one budget for all workers), its threads are nice to everybody else, and its queue is
short: beyond it the answer is "busy" at once, which costs an attacker's flood nothing but the attacker.
"""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import Final, TypeVar

Result = TypeVar("Result")
NICENESS: Final = 10


class Shed(Enum):
    """The gate is full: the work was not started and nothing was written."""

    BUSY = "busy"


def _step_back() -> None:
    """Lower the priority of this thread alone (Linux schedules threads; elsewhere nothing changes)."""
    if sys.platform == "linux":  # pragma: no branch - elsewhere hashing shares the process's priority
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


class HashingGate:
    """Runs work in at most `threads` threads, with at most `waiting` more in line.

    Threads start at first use, which is in a worker: a pool made before the fork has none after it.
    """

    def __init__(self, *, threads: int, waiting: int) -> None:
        self.threads = threads
        self._places = threading.BoundedSemaphore(threads + waiting)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hash", initializer=_step_back)

    def run(self, work: Callable[[], Result]) -> Result | Shed:
        """Return what `work` returns, or Shed.BUSY at once when the line is full."""
        if not self._places.acquire(blocking=False):
            return Shed.BUSY
        try:
            return self._pool.submit(work).result()
        finally:
            self._places.release()
