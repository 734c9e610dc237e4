"""Attempts that keep the port's contract in memory."""

import itertools
from collections import Counter
from collections.abc import Iterator
from threading import Lock

from service.login.attempts import (
    PENDING_SECONDS,
    Attempt,
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
from tests.rig.memory_store import Rows


class MemoryAttempts:
    """Attempts in a dictionary."""

    _serial = itertools.count(1)

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._one_step = Lock()

    def reserve(self, attempt: Attempt, throttles: Throttles, *, now: int) -> Reserved | Throttled:
        with self._one_step:
            return self._reserve(attempt, throttles, now)

    def _reserve(self, attempt: Attempt, throttles: Throttles, now: int) -> Reserved | Throttled:
        counts = {}
        for scope in attempt.scopes:
            kept = [at for at, other in list(self._rows.attempts.values()) if _is_counted(other, attempt, scope)]
            seconds = throttles[scope].seconds
            kept = [at for at in kept if now - seconds < at < now + seconds]
            recent = sum(abs(at - now) <= PENDING_SECONDS for at in kept)
            counts[scope] = Count(len(kept), min(kept, default=0), recent)
        verdict = decide(counts, throttles, now=now)
        if isinstance(verdict, Throttled):
            return verdict
        reserved = Reserved(str(next(self._serial)), attempt, verdict)
        self._rows.attempts[reserved.id] = (now, attempt)
        return reserved

    def release(self, reserved: Reserved) -> None:
        self._rows.attempts.pop(reserved.id, None)

    def throttled_networks(self, limit: Limit, *, now: int) -> int:
        recent = [each for at, each in self._rows.attempts.values() if abs(at - now) < limit.seconds]
        counts = Counter(each.network for each in recent if each.device is None)
        return sum(attempts >= limit.count for attempts in counts.values())

    def tallies(self, *, by: Scope, since: int) -> Iterator[Tally]:
        return added_up(
            Tally(each.account, each.username, 1, at) if by is Scope.ACCOUNT else Tally(each.network, None, 1, at)
            for at, each in self._rows.attempts.values()
            if at > since
        )

    def clear(self, *, account: str | None = None, network: str | None = None) -> int:
        gone = [
            key
            for key, (_, attempt) in self._rows.attempts.items()
            if (account is None or attempt.account == account) and (network is None or attempt.network == network)
        ]
        for key in gone:
            del self._rows.attempts[key]
        return len(gone)


def _is_counted(other: Attempt, attempt: Attempt, scope: Scope) -> bool:
    """Whether another attempt counts in the same window as this one."""
    if scope is Scope.APP_PASSWORD_NETWORK:
        return (other.network, other.device) == (attempt.network, attempt.device)
    if scope is Scope.KNOWN_DEVICE:
        return (other.account, other.device) == (attempt.account, attempt.device)
    same_account, same_network = other.account == attempt.account, other.network == attempt.network
    same = {
        Scope.ACCOUNT_FROM_NETWORK: same_account and same_network,
        Scope.NETWORK: same_network,
        Scope.ACCOUNT: same_account,
    }
    return other.device is None and same[scope]
