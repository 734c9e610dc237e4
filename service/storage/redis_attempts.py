"""Attempts in Redis, with SQL behind them: one sorted set for each window, counted and written by one script.

When Redis is away, slow or hung, attempts are counted in SQL in fresh windows, as the outer limits are.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final, TypeVar

from service.login.attempts import Attempts, Count, Reserved, Scope, Tally, Throttled, Throttles, Try, judge
from service.storage.redis_counters import Watch, counts, failures_of, impatient

_T = TypeVar("_T")
_IN_REDIS: Final = "redis-"
_PREFIX: Final = "{vestibule}:attempts"  # one slot of a cluster: a script may touch keys of one slot only
_KINDS: Final = {
    Scope.ACCOUNT_FROM_NETWORK: "both",
    Scope.NETWORK: "network",
    Scope.ACCOUNT: "account",
    Scope.KNOWN_DEVICE: "device",
}
# Written to every window or to none: ARGV has the time, the member, and the length and limit of each key's window.
_RESERVE: Final = """
local now, found, free = tonumber(ARGV[1]), {}, true
for place, key in ipairs(KEYS) do
  local seconds, failures = tonumber(ARGV[1 + 2 * place]), tonumber(ARGV[2 + 2 * place])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - seconds)
  redis.call('ZREMRANGEBYSCORE', key, now + seconds, '+inf')
  local many = redis.call('ZCARD', key)
  if many >= failures then free = false end
  found[#found + 1] = many
  found[#found + 1] = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] or '0'
end
if free then
  for place, key in ipairs(KEYS) do
    redis.call('ZADD', key, now, ARGV[2])
    redis.call('EXPIRE', key, ARGV[1 + 2 * place])
  end
end
return found
"""


class RedisAttempts:
    """Attempts in Redis alone. Raises `failures` when it does not answer in time."""

    def __init__(self, address: str) -> None:
        self._storage = impatient(address)
        self.failures = failures_of(self._storage)
        self._redis: Any = self._storage.storage
        self._script: Any = self._redis.register_script(_RESERVE)

    def answers(self) -> bool:
        """Whether Redis counts again."""
        return counts(self._storage)

    def reserve(self, trying: Try, throttles: Throttles, *, now: int) -> Reserved | Throttled:
        reservation = _IN_REDIS + secrets.token_hex(16)
        arguments: list[object] = [now, _member(reservation, trying)]
        for scope in trying.scopes:
            arguments += [throttles[scope].seconds, throttles[scope].failures]
        found = self._script(keys=_keys(trying), args=arguments)
        counts = {
            scope: Count(int(found[2 * place]), int(float(found[2 * place + 1])))
            for place, scope in enumerate(trying.scopes)
        }
        verdict = judge(counts, throttles, now=now)
        return verdict if isinstance(verdict, Throttled) else Reserved(reservation, trying, verdict)

    def release(self, reserved: Reserved) -> None:
        with self._redis.pipeline(transaction=True) as together:
            for key in _keys(reserved.trying):
                together.zrem(key, _member(reserved.id, reserved.trying))
            together.execute()

    def tallies(self, *, by: Scope, since: int) -> Iterator[Tally]:
        """Reads the names of all keys: for an operator's question, never for a request."""
        kinds = ("network",) if by is Scope.NETWORK else ("account", "device")
        merged: dict[str, Tally] = {}
        for kind in kinds:
            for key in self._redis.scan_iter(match=f"{_PREFIX}:{kind}:*", count=1000):
                text = key.decode()
                named = text.removeprefix(f"{_PREFIX}:{kind}:")
                members = self._redis.zrangebyscore(text, f"({since}", "+inf", withscores=True)
                if members:
                    which = named if by is Scope.NETWORK else named.partition(":")[0]
                    merged[which] = _added(merged.get(which), which, members)
        if by is Scope.NETWORK:
            merged = {key: replace(tally, name=None) for key, tally in merged.items()}
        return iter(sorted(merged.values(), key=lambda tally: (-tally.attempts, tally.key)))

    def clear(self, *, account: str | None = None, network: str | None = None) -> int:
        if account is not None:
            counted, others = [f"account:{account}", f"device:{account}:*"], [f"both:{account}:*"]
        elif network is not None:
            counted, others = [f"network:{network}"], [f"both:*:{network}"]
        else:
            counted, others = ["network:*", "device:*"], ["account:*", "both:*"]
        cleared = sum(self._redis.zcard(key) for key in self._matching(counted))
        for key in self._matching([*counted, *others]):
            self._redis.delete(key)
        return int(cleared)

    def _matching(self, patterns: list[str]) -> list[bytes]:
        return [key for each in patterns for key in self._redis.scan_iter(match=f"{_PREFIX}:{each}", count=1000)]


class FallbackAttempts:
    """Redis while it answers, else SQL. Raises Unavailable only when both are away."""

    def __init__(self, redis: str, sql: Attempts, watch: Watch) -> None:
        self._redis = RedisAttempts(redis)
        self._sql = sql
        self._watch = watch

    def reserve(self, trying: Try, throttles: Throttles, *, now: int) -> Reserved | Throttled:
        return self._either(lambda store: store.reserve(trying, throttles, now=now))

    def release(self, reserved: Reserved) -> None:
        """Crossed out where it is written. A Redis that went away meanwhile keeps it: one attempt too many counts."""
        if not reserved.id.startswith(_IN_REDIS):
            self._sql.release(reserved)
        elif not self._watch.away:
            self._either(lambda store: store.release(reserved))

    def tallies(self, *, by: Scope, since: int) -> Iterator[Tally]:
        return self._either(lambda store: store.tallies(by=by, since=since))

    def clear(self, *, account: str | None = None, network: str | None = None) -> int:
        """Both are cleared: what was counted in SQL while Redis was away would count again the next time."""
        cleared = self._sql.clear(account=account, network=network)
        if not self._watch.away:
            cleared += self._either(lambda store: store.clear(account=account, network=network))
        return cleared

    def _either(self, ask: Callable[[Attempts], _T]) -> _T:
        if not self._watch.away:
            try:
                return ask(self._redis)
            except self._redis.failures as failure:
                self._watch.lost(self._redis.answers, failure)
        return ask(self._sql)


def _keys(trying: Try) -> list[str]:
    values = {
        Scope.ACCOUNT_FROM_NETWORK: f"{trying.account}:{trying.network}",
        Scope.NETWORK: trying.network,
        Scope.ACCOUNT: trying.account,
        Scope.KNOWN_DEVICE: f"{trying.account}:{trying.device}",
    }
    return [f"{_PREFIX}:{_KINDS[scope]}:{values[scope]}" for scope in trying.scopes]


def _member(reservation: str, trying: Try) -> str:
    return f"{reservation} {trying.username or ''}"


def _added(known: Tally | None, key: str, members: list[tuple[bytes, float]]) -> Tally:
    """Return what is known of a network or an account with the members of one more of its sets."""
    newest, at = members[-1]
    name = newest.decode().partition(" ")[2] or None
    if known is None:
        return Tally(key, name, len(members), int(at))
    return Tally(key, known.name or name, known.attempts + len(members), max(known.latest, int(at)))
