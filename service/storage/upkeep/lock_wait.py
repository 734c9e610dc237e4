"""Waiting for a lock that another process or connection holds: short attempts, a report every ten seconds, an end."""

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

from service.services import Unavailable

WAIT_SECONDS: Final = 600
REPORT_SECONDS: Final = 10
SHORT_SECONDS: Final = 1  # such a wait, of processes that start together, is not worth a line
PAUSE_SECONDS: Final = 1  # at most; the first ones are short
_T = TypeVar("_T")
_log: Final = logging.getLogger(__name__)


class Blocked(Unavailable):
    """A lock that the work needs is held; the message says by which process or connection. Nothing was changed."""


class LockWait:
    """Repeats attempts while a lock is held by others, for so many seconds over all of them."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._began = time.monotonic()
        self._reported: float = SHORT_SECONDS - REPORT_SECONDS

    def until_done(self, attempt: Callable[[], _T]) -> _T:
        """Return what the attempt returns once it is not Blocked. Raises Unavailable when the time is over."""
        pause = 0.01
        while True:
            try:
                return attempt()
            except Blocked as blocked:
                self._report(blocked)
            time.sleep(pause)
            pause = min(2 * pause, PAUSE_SECONDS)

    def _report(self, blocked: Blocked) -> None:
        waited = time.monotonic() - self._began
        if waited >= self._seconds:
            raise Unavailable(
                f"waited {self._seconds:.0f} s for {blocked}. Nothing was changed: end what holds the lock, or type "
                "`vestibule db upgrade --wait 1h`"
            ) from blocked
        if waited - self._reported >= REPORT_SECONDS:
            self._reported = waited
            _log.warning("waiting for %s", blocked)
