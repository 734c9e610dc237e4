"""Reads something again about once a second, while many threads use what was read last."""

import threading
from collections.abc import Callable
from typing import Final

EVERY_SECONDS: Final = 0.9
LONGEST_WAIT_SECONDS: Final = 1.0


class Refresh:
    """When to read again, and by which thread. Moments are in seconds of a clock that never goes back."""

    def __init__(self) -> None:
        self.read_at = float("-inf")
        self._reading = threading.Lock()

    def __call__(self, moment: float, read: Callable[[], object]) -> None:
        """Have one thread read when that is due; the others wait only if what was read last is too old."""
        age = moment - self.read_at
        patience = LONGEST_WAIT_SECONDS if age >= 2 * EVERY_SECONDS else 0
        if age >= EVERY_SECONDS and self._reading.acquire(timeout=patience):
            try:
                if self.read_at < moment:  # no other thread did it meanwhile
                    read()
                    self.read_at = moment
            finally:
                self._reading.release()
