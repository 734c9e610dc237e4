"""Attempts in Redis, with SQL behind them: one sorted set for each window, counted and written by one script.

When Redis is away, slow or hung, attempts are counted in SQL in fresh windows, as the outer limits are.
"""

import secrets
from collections.abc import Callable, Iterator
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
# A refusal only reads. The first write is one that a full Redis refuses: after any other it would let everything pass.
_RESERVE: Final = """
local now, found, free = tonumber(ARGV[1]), {}, true
for place, key in ipairs(KEYS) do
  local seconds, failures = tonumber(ARGV[1 + 2 * place]), tonumber(ARGV[2 + 2 * place])
  local after, before = '(' .. now - seconds, '(' .. now + seconds
  local many = redis.call('ZCOUNT', key, after, before)
  if many >= failures then free = false end
  found[#found + 1] = many
  found[#found + 1] = redis.call('ZRANGEBYSCORE', key, after, before, 'WITHSCORES', 'LIMIT', 0, 1)[2] or '0'
end
if free then
  for place, key in ipairs(KEYS) do
    local seconds = tonumber(ARGV[1 + 2 * place])
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
        found: dict[str, list[tuple[int, str]]] = {}
        for key in self._sets(Scope.NETWORK if by is Scope.NETWORK else Scope.ACCOUNT, Scope.KNOWN_DEVICE):
            for member, at in self._redis.zrangebyscore(key, f"({since}", "+inf", withscores=True):
                _, account, network, username = _facts(member)
                which, name = (network, "") if by is Scope.NETWORK else (account, username)
                found.setdefault(which, []).append((int(at), name))
        tallies = [
            Tally(which, max(name for _, name in some) or None, len(some), max(at for at, _ in some))
            for which, some in found.items()
        ]
        return iter(sorted(tallies, key=lambda tally: (-tally.attempts, tally.key)))

    def clear(self, *, account: str | None = None, network: str | None = None) -> int:
        """Looks into every window: an attempt at an account counts for its network, too."""
        gone: set[bytes] = set()
        for key in self._sets(*Scope):
            members = [each for each in self._redis.zrange(key, 0, -1) if _is_of(each, account, network)]
            if members:
                self._redis.zrem(key, *members)
                gone.update(members)
        return len(gone)

    def _sets(self, *scopes: Scope) -> Iterator[bytes]:
        for scope in scopes:
            yield from self._redis.scan_iter(match=f"{_PREFIX}:{_KINDS[scope]}:*", count=1000)


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
    return f"{reservation} {trying.account} {trying.network} {trying.username or ''}"


def _facts(member: bytes) -> list[str]:
    """Return reservation, account, network and username; none of them has a blank in it."""
    return member.decode().split(" ")


def _is_of(member: bytes, account: str | None, network: str | None) -> bool:
    _, its_account, its_network, _ = _facts(member)
    return account in {None, its_account} and network in {None, its_network}
