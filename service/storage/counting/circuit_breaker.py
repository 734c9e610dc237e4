"""Redis, or SQL while Redis is given up: no request waits for a server that was silent a moment ago."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from service.storage.counting.redis_faults import in_words

LOOK_AGAIN_SECONDS: Final = 3.0
_T = TypeVar("_T")
_log: Final = logging.getLogger(__name__)


class CircuitBreaker:
    """Whether this process has given Redis up for now, and the thread that asks every few seconds whether it serves."""

    def __init__(self, every_seconds: float = LOOK_AGAIN_SECONDS) -> None:
        self.is_open = False
        self._every = every_seconds
        self._lock = threading.Lock()
        self._changed: Callable[[bool], None] = lambda _is_open: None

    def on_change(self, changed: Callable[[bool], None]) -> None:
        """Call `changed` at each change from now on, in its order: whether Redis is given up."""
        self._changed = changed

    def either(
        self,
        in_redis: Callable[[], _T],
        in_sql: Callable[[], _T],
        failures: tuple[type[Exception], ...],
        *,
        answers: Callable[[], bool],
    ) -> _T:
        """Return what Redis says, else SQL. After a failure Redis is not asked until `answers` says that it serves."""
        if not self.is_open:
            try:
                return in_redis()
            except failures as failure:
                self.open(answers, failure)
        return in_sql()

    def open(self, answers: Callable[[], bool], why: Exception) -> None:
        """Give Redis up until `answers` says that it serves."""
        with self._lock:
            if self.is_open:
                return
            self._turn(is_open=True)
        _log.error("Redis does not serve (%s): limits are counted in SQL until it does", in_words(why))
        threading.Thread(target=self._look, args=(answers,), name="redis-breaker", daemon=True).start()

    def _look(self, answers: Callable[[], bool]) -> None:
        time.sleep(self._every)
        while not answers():
            time.sleep(self._every)
        with self._lock:
            self._turn(is_open=False)
        _log.warning("Redis is back: limits are counted there again")

    def _turn(self, *, is_open: bool) -> None:
        self.is_open = is_open
        self._changed(is_open)
