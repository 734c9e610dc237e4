"""Redis as `limits` connects to it: at first use, for a moment at most, by names that are resolved in time."""

from typing import Any, Final

from limits.storage import RedisStorage

from service.storage.engine.names import Names

TIMEOUT_SECONDS: Final = 0.2


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


def redis_storage(address: str) -> RedisStorage:
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
