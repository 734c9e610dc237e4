"""Redis, or SQL while Redis is given up: no request waits for a server that did not answer a moment ago."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from service.storage.counting.redis_faults import in_words

RETRY_SECONDS: Final = 3.0
_T = TypeVar("_T")
_log: Final = logging.getLogger(__name__)


class CircuitBreaker:
    """Whether this process has given Redis up for now, and the thread that asks every few seconds whether it serves.

    Redis does not serve when one of `failures` is raised, and serves again when `answers` says so.
    """

    def __init__(
        self,
        answers: Callable[[], bool],
        failures: tuple[type[Exception], ...],
        *,
        every_seconds: float = RETRY_SECONDS,
    ) -> None:
        self.is_open = False
        self.failures = failures
        self._answers = answers
        self._every = every_seconds
        self._lock = threading.Lock()
        self._changed: Callable[[bool], None] = lambda _is_open: None

    def on_change(self, changed: Callable[[bool], None]) -> None:
        """Call `changed` at each change from now on, in its order: whether Redis is given up."""
        self._changed = changed

    def either(self, in_redis: Callable[[], _T], in_sql: Callable[[], _T]) -> _T:
        """Return what Redis says, else SQL. After a failure Redis is not asked until it serves again."""
        if not self.is_open:
            try:
                return in_redis()
            except self.failures as failure:
                self.open(failure)
        return in_sql()

    def open(self, why: Exception) -> None:
        with self._lock:
            if self.is_open:
                return
            self._set(is_open=True)
        _log.error("Redis does not serve (%s): limits are counted in SQL until it does", in_words(why))
        threading.Thread(target=self._wait_for_redis, name="redis-breaker", daemon=True).start()

    def _wait_for_redis(self) -> None:
        time.sleep(self._every)
        while not self._answers():
            time.sleep(self._every)
        with self._lock:
            self._set(is_open=False)
        _log.warning("Redis is back: limits are counted there again")

    def _set(self, *, is_open: bool) -> None:
        self.is_open = is_open
        self._changed(is_open)
