"""Counters in Redis, with SQL behind them: when Redis is away, slow or hung, counting goes on in SQL by itself.

The windows in SQL are fresh then, so at most twice the limit passes in all. A thread looks every few
seconds whether Redis is back; no request waits for that.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from limits.storage import RedisStorage, Storage

from service.storage.counting.redis_faults import in_words
from service.storage.counting.sql_counters import SqlCounters
from service.storage.engine.database import Rows
from service.storage.engine.names import Names

TIMEOUT_SECONDS: Final = 0.2
LOOK_AGAIN_SECONDS: Final = 3.0
_T = TypeVar("_T")
_log: Final = logging.getLogger(__name__)


class Watch:
    """Whether Redis is given up for now in this process, and the thread that looks whether it is back."""

    def __init__(self, every_seconds: float = LOOK_AGAIN_SECONDS) -> None:
        self.away = False
        self._every = every_seconds
        self._lock = threading.Lock()
        self._told: Callable[[bool], None] = lambda _away: None

    def tell(self, told: Callable[[bool], None]) -> None:
        """Call `told` at each change from now on, in its order: whether Redis is away."""
        self._told = told

    def lost(self, answers: Callable[[], bool], why: Exception) -> None:
        """Give Redis up until `answers` says that it is back."""
        with self._lock:
            if self.away:
                return
            self._turn(away=True)
        _log.error("Redis does not serve (%s): limits are counted in SQL until it does", in_words(why))
        threading.Thread(target=self._look, args=(answers,), name="redis-watch", daemon=True).start()

    def _look(self, answers: Callable[[], bool]) -> None:
        time.sleep(self._every)
        while not answers():
            time.sleep(self._every)
        with self._lock:
            self._turn(away=False)
        _log.warning("Redis is back: limits are counted there again")

    def _turn(self, *, away: bool) -> None:
        self.away = away
        self._told(away)


class FallbackCounters(Storage):
    """Redis while it answers, else SQL. Raises Unavailable only when both are away."""

    STORAGE_SCHEME = ["vestibule-redis"]  # noqa: RUF012 - how the base class is told

    def __init__(
        self,
        uri: str | None = None,
        *,
        rows: Rows,
        redis: str,
        watch: Watch,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(uri)
        self._sql = SqlCounters(rows=rows, clock=clock)
        self._redis = impatient(redis)
        self._failures = failures_of(self._redis)
        self._watch = watch

    @property
    def base_exceptions(self) -> type[Exception]:
        return self._sql.base_exceptions

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return self._either(lambda store: store.incr(key, expiry, amount))

    def get(self, key: str) -> int:
        return self._either(lambda store: store.get(key))

    def get_expiry(self, key: str) -> float:
        return self._either(lambda store: store.get_expiry(key))

    def check(self) -> bool:
        return self._redis.check() or self._sql.check()

    def reset(self) -> int | None:
        return self._either(lambda store: store.reset())

    def clear(self, key: str) -> None:
        self._sql.clear(key)
        self._either(lambda store: store.clear(key))

    def _either(self, ask: Callable[[Storage], _T]) -> _T:
        if not self._watch.away:
            try:
                return ask(self._redis)
            except self._failures as failure:
                self._watch.lost(lambda: counts(self._redis), failure)
        return ask(self._sql)


def counts(redis: RedisStorage) -> bool:
    """Whether Redis counts: one that is full, or a replica, still answers a ping."""
    try:
        return redis.incr("probe", 1) > 0
    except failures_of(redis):
        return False


def failures_of(redis: RedisStorage) -> tuple[type[Exception], ...]:
    """Return what is raised when Redis does not serve."""
    errors = redis.base_exceptions
    return (OSError, *(errors if isinstance(errors, tuple) else (errors,)))


def impatient(address: str) -> RedisStorage:
    """Return Redis' storage, connected at first use. A connection that a restart closed is opened once more."""
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as Lost
    from redis.retry import Retry

    options: dict[str, Any] = {
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 1, supported_errors=(Lost,)),
    }
    if (scheme := address.partition(":")[0]) in {"redis", "rediss"}:
        options["connection_class"] = _resolving(encrypted=scheme == "rediss")
    return RedisStorage(address, key_prefix="vestibule:limits", **options)


def _resolving(*, encrypted: bool) -> type:
    """Return a class of connections whose server's name is resolved in time."""
    from redis.connection import Connection, SSLConnection

    names = Names()

    class Resolving(Connection):
        def _connect(self) -> Any:  # noqa: ANN401 - a socket
            name, failure = self.host, OSError()
            try:
                for self.host in names.addresses(name, seconds=TIMEOUT_SECONDS):
                    try:
                        return super()._connect()  # type: ignore[no-untyped-call] # the driver has no types here
                    except OSError as refused:
                        failure = refused
            finally:
                self.host = name
            raise failure

    class ResolvingEncrypted(SSLConnection, Resolving):  # the certificate is for the name
        pass

    return ResolvingEncrypted if encrypted else Resolving
