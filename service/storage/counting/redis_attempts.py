"""Attempts in Redis, with SQL behind them: one sorted set for each window, counted and written by one script.

When Redis is away, slow or hung, attempts are counted in SQL in fresh windows, as the outer limits are.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from limits.storage import RedisStorage

from service.login.attempts import (
    PENDING_SECONDS,
    Attempt,
    Attempts,
    Count,
    Limit,
    Reserved,
    Scope,
    Tally,
    Throttled,
    Throttles,
    added_up,
    decide,
)
from service.services import Unavailable
from service.storage.counting.circuit_breaker import CircuitBreaker
from service.storage.counting.redis_connection import counts, failures_of

_T = TypeVar("_T")
_IN_REDIS: Final = "redis-"
_AT_ONCE: Final = 1000
_PREFIX: Final = "vestibule:{attempts}"  # in one slot: a script may touch keys of one slot only, where slots matter
_KINDS: Final = {
    Scope.ACCOUNT_FROM_NETWORK: "both",
    Scope.NETWORK: "network",
    Scope.ACCOUNT: "account",
    Scope.KNOWN_DEVICE: "device",
    Scope.APP_PASSWORD_NETWORK: "program",
}
# Written to every window or to none. ARGV has the time, the member, for how long an attempt is recent, and the length
# and limit of each key's window.
# A refusal only reads. The first write is one that a full Redis refuses: after any other it would let everything pass.
_RESERVE: Final = """
local now, found, free = tonumber(ARGV[1]), {}, true
for place, key in ipairs(KEYS) do
  local seconds, failures = tonumber(ARGV[2 + 2 * place]), tonumber(ARGV[3 + 2 * place])
  local after, before = '(' .. now - seconds, '(' .. now + seconds
  local many = redis.call('ZCOUNT', key, after, before)
  if many >= failures then free = false end
  found[#found + 1] = many
  found[#found + 1] = redis.call('ZRANGEBYSCORE', key, after, before, 'WITHSCORES', 'LIMIT', 0, 1)[2] or '0'
  found[#found + 1] = redis.call('ZCOUNT', key, now - ARGV[3], now + ARGV[3])
end
if free then
  for place, key in ipairs(KEYS) do
    local seconds = tonumber(ARGV[2 + 2 * place])
    redis.call('ZADD', key, now, ARGV[2])
    redis.call('EXPIRE', key, seconds)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - seconds)
    redis.call('ZREMRANGEBYSCORE', key, now + seconds, '+inf')
  end
end
return found
"""


class RedisAttempts:
    """Attempts in Redis alone. Raises `failures` when it does not answer in time."""

    def __init__(self, storage: RedisStorage) -> None:
        self._storage = storage
        self.failures = failures_of(storage)
        self._redis: Any = storage.storage
        self._script: Any = self._redis.register_script(_RESERVE)

    def answers(self) -> bool:
        """Whether Redis counts attempts and forms: a user that may use one command need not be allowed another.

        It is asked on new connections: those from before may lead to a server that is a replica by now.
        """
        self._redis.connection_pool.disconnect(inuse_connections=False)
        try:
            self._script(keys=[], args=[0, ""])
        except self.failures:
            return False
        return counts(self._storage)

    def reserve(self, attempt: Attempt, throttles: Throttles, *, now: int) -> Reserved | Throttled:
        reservation = _IN_REDIS + secrets.token_hex(16)
        arguments: list[object] = [now, _member(reservation, attempt), PENDING_SECONDS]
        for scope in attempt.scopes:
            arguments += [throttles[scope].seconds, throttles[scope].count]
        found = self._script(keys=_keys(attempt), args=arguments)
        counts = {
            scope: Count(*(int(float(each)) for each in found[3 * place : 3 * place + 3]))
            for place, scope in enumerate(attempt.scopes)
        }
        verdict = decide(counts, throttles, now=now)
        return verdict if isinstance(verdict, Throttled) else Reserved(reservation, attempt, verdict)

    def release(self, reserved: Reserved) -> None:
        self._forget(_member(reserved.id, reserved.attempt), reserved.attempt)

    def throttled_networks(self, limit: Limit, *, now: int) -> int:
        """Count the windows of all networks: there are no more than passwords were hashed within the limit's time."""
        found = self._redis.scan_iter(match=f"{_PREFIX}:{_KINDS[Scope.NETWORK]}:*", count=_AT_ONCE)
        networks = iter({*found})  # a scan may name a key twice
        many = 0
        while some := list(itertools.islice(networks, _AT_ONCE)):
            with self._redis.pipeline(transaction=False) as together:
                for key in some:
                    together.zcount(key, f"({now - limit.seconds}", f"({now + limit.seconds}")
                many += sum(attempts >= limit.count for attempts in together.execute())
        return many

    def tallies(self, *, by: Scope, since: int) -> Iterator[Tally]:
        return added_up(kept.tally(by) for kept in self._all() if kept.at > since)

    def clear(self, *, account: str | None = None, network: str | None = None) -> int:
        gone = [
            kept
            for kept in self._all()
            if account in (None, kept.attempt.account) and network in (None, kept.attempt.network)
        ]
        for kept in gone:
            self._forget(kept.member, kept.attempt)
        return len(gone)

    def _forget(self, member: str, attempt: Attempt) -> None:
        with self._redis.pipeline(transaction=True) as together:
            for key in _keys(attempt):
                together.zrem(key, member)
            together.execute()

    def _all(self) -> Iterator[_StoredAttempt]:
        """Yield all attempts that a window still holds, each once. For operators, never for a request."""
        seen: set[bytes] = set()
        keys = self._redis.scan_iter(match=f"{_PREFIX}:*", count=_AT_ONCE)
        while some := list(itertools.islice(keys, _AT_ONCE)):
            with self._redis.pipeline(transaction=False) as together:
                for key in some:
                    together.zrange(key, 0, -1, withscores=True)
                found = itertools.chain.from_iterable(together.execute())
            for member, at in found:
                if member not in seen:
                    seen.add(member)
                    yield _StoredAttempt(member.decode(), int(at))


class FallbackAttempts:
    """Redis while it answers, else SQL. Raises Unavailable when both are away; `tallies` and `clear` need SQL."""

    def __init__(self, redis: RedisAttempts, sql: Attempts, breaker: CircuitBreaker) -> None:
        self._redis = redis
        self._sql = sql
        self._breaker = breaker

    def reserve(self, attempt: Attempt, throttles: Throttles, *, now: int) -> Reserved | Throttled:
        return self._either(lambda store: store.reserve(attempt, throttles, now=now))

    def release(self, reserved: Reserved) -> None:
        """Delete the attempt where it was written. A Redis that is away meanwhile keeps it: one attempt too many."""
        if not reserved.id.startswith(_IN_REDIS):
            self._sql.release(reserved)
        elif not self._breaker.is_open:
            self._either(lambda store: store.release(reserved))

    def throttled_networks(self, limit: Limit, *, now: int) -> int:
        """Counted where attempts are counted now. A question of a scrape gives Redis up for no attempt."""
        if self._breaker.is_open:
            return self._sql.throttled_networks(limit, now=now)
        try:
            return self._redis.throttled_networks(limit, now=now)
        except self._breaker.failures as failure:
            raise Unavailable("Redis does not answer") from failure

    def tallies(self, *, by: Scope, since: int) -> Iterator[Tally]:
        """Of both, for `clear` needs the names of both: what was counted in SQL would count again the next time."""
        in_sql = list(self._sql.tallies(by=by, since=since))
        in_redis: list[Tally] = self._breaker.either(lambda: list(self._redis.tallies(by=by, since=since)), list)
        return added_up(in_sql + in_redis)

    def clear(self, *, account: str | None = None, network: str | None = None) -> int:
        """Both are cleared: what was counted in SQL while Redis was away would count again the next time."""
        cleared = self._sql.clear(account=account, network=network)
        try:
            return cleared + self._redis.clear(account=account, network=network)
        except self._breaker.failures as failure:
            raise Unavailable("Redis does not answer: what is counted there still counts") from failure

    def _either(self, ask: Callable[[Attempts], _T]) -> _T:
        return self._breaker.either(lambda: ask(self._redis), lambda: ask(self._sql))


def _keys(attempt: Attempt) -> list[str]:
    values = {
        Scope.ACCOUNT_FROM_NETWORK: f"{attempt.account}:{attempt.network}",
        Scope.NETWORK: attempt.network,
        Scope.ACCOUNT: attempt.account,
        Scope.KNOWN_DEVICE: f"{attempt.account}:{attempt.device}",
        Scope.APP_PASSWORD_NETWORK: attempt.network,
    }
    return [f"{_PREFIX}:{_KINDS[scope]}:{values[scope]}" for scope in attempt.scopes]


def _member(reservation: str, attempt: Attempt) -> str:
    """Return an attempt as it stands in its sets: all that is known of it, so that it is found in the others, too."""
    return "|".join((reservation, attempt.account, attempt.network, attempt.device or "", attempt.username or ""))


class _StoredAttempt:
    """An attempt as it was found in one of its sets."""

    def __init__(self, member: str, at: int) -> None:
        _, account, network, device, username = member.split("|")
        self.member, self.at = member, at
        self.attempt = Attempt(account, username or None, network, device or None)

    def tally(self, by: Scope) -> Tally:
        """Return it as one of its account or of its network."""
        if by is Scope.ACCOUNT:
            return Tally(self.attempt.account, self.attempt.username, 1, self.at)
        return Tally(self.attempt.network, None, 1, self.at)
