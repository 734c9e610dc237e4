"""Whether the wall clock jumped: whoever sets it lengthens or ends sessions, links and limits without a word.

Compared with a clock that nobody sets. How both run is corrected alike, so what drifts apart between two looks was set.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

NOTICED_SECONDS: Final = 2.0
_UNDISTURBED_SECONDS: Final = 0.5


class ClockWatch:
    """Compares two clocks whenever somebody looks; safe for threads, and cheap enough for every request."""

    def __init__(self, wall: Callable[[], float], steady: Callable[[], float]) -> None:
        self._wall, self._steady = wall, steady
        self._ahead: float | None = None
        self._lock = threading.Lock()

    def look(self) -> float:
        """Return by how many seconds the wall clock was set since the last look (back: below 0), 0 when it was not."""
        with self._lock:
            before, now, after = self._steady(), self._wall(), self._steady()
            if after - before > _UNDISTURBED_SECONDS:
                return 0.0  # this process was held up between two readings: they say nothing of one another
            ahead, self._ahead = self._ahead, now - after
            moved = 0.0 if ahead is None else self._ahead - ahead
        return moved if abs(moved) > NOTICED_SECONDS else 0.0


def steady_clock() -> float:
    """Return seconds that nobody sets; where there is such a clock, one that runs on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
