"""Attempts: who may try a password again, and when.

An attempt is written down before its password is checked, under every key that limits it and in one step, and
crossed out when the password was right: guesses made at the same time cannot slip through together, and a
refusal is written nowhere. A window slides: of the last 15 minutes, whenever they began, not more than so
many attempts are kept. Names that nobody has are counted like those that somebody has.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from service.login.accounts import Account, folded_username

# A password is checked within two seconds: what waits longer at the gate is refused there.
PENDING_SECONDS: Final = 2
RETRY_PENDING_SECONDS: Final = 1


class Scope(StrEnum):
    """What a limit counts."""

    ACCOUNT_FROM_NETWORK = "account_from_network"
    NETWORK = "network"
    ACCOUNT = "account"
    KNOWN_DEVICE = "known_device"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many failures, in so many seconds."""

    failures: int
    seconds: int


Throttles = Mapping[Scope, Limit]


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who is about to try which account.

    `account` is a digest: people type passwords into the wrong field, so a name is kept (`username`) only when an
    account has it. A browser that signed in to this account before comes with a `device`.
    """

    account: str
    username: str | None
    network: str
    device: str | None = None

    @property
    def scopes(self) -> Sequence[Scope]:
        """What counts: a known device alone, else the other three; an attack from elsewhere cannot lock it out."""
        if self.device is not None:
            return (Scope.KNOWN_DEVICE,)
        return (Scope.ACCOUNT_FROM_NETWORK, Scope.NETWORK, Scope.ACCOUNT)


@dataclass(frozen=True, slots=True)
class Count:
    """How many attempts of a window are kept, when the oldest of them was, and how many are recent.

    A recent one (not older than PENDING_SECONDS) may be under way, and be given back.
    """

    attempts: int
    oldest: int = 0
    recent: int = 0


@dataclass(frozen=True, slots=True)
class Reserved:
    """The attempt is written down. `exhausted` are the limits of which it was the last allowed one."""

    id: str
    attempt: Attempt
    exhausted: tuple[Scope, ...] = ()


@dataclass(frozen=True, slots=True)
class Throttled:
    """Nothing was written, and nothing will be checked before `until`."""

    scope: Scope
    until: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How many attempts are kept of one network or account; `name` is None for a name that nobody has."""

    key: str
    name: str | None
    attempts: int
    latest: int


class Attempts(Protocol):
    """Where attempts are kept, for all workers and replicas together."""

    def reserve(self, attempt: Attempt, throttles: Throttles, *, now: int) -> Reserved | Throttled:
        """Count the windows and write the attempt down, both as one step."""

    def release(self, reserved: Reserved) -> None:
        """Cross the attempt out: its password was right, or was not checked."""

    def tallies(self, *, by: Scope, since: int) -> Iterator[Tally]:
        """Yield how many attempts since then are kept by NETWORK or by ACCOUNT, the most first."""

    def clear(self, *, account: str | None = None, network: str | None = None) -> int:
        """Forget the attempts of an account (digest), of a network, or all of them; how many there were."""


def decide(counts: Mapping[Scope, Count], throttles: Throttles, *, now: int) -> Throttled | tuple[Scope, ...]:
    """Return the refusal that lasts longest, or the limits of which the next attempt is the last allowed one."""
    refusals = [
        Throttled(scope, _until(count, throttles[scope], now))
        for scope, count in counts.items()
        if count.attempts >= throttles[scope].failures
    ]
    if refusals:
        return max(refusals, key=lambda refusal: refusal.until)
    return tuple(scope for scope, count in counts.items() if count.attempts + 1 == throttles[scope].failures)


def _until(count: Count, window: Limit, now: int) -> int:
    """Return when an attempt may be made again: in a second when it was refused for some that may be given back."""
    if count.attempts - count.recent < window.failures:
        return now + RETRY_PENDING_SECONDS
    return min(count.oldest, now) + window.seconds


def digest_of(username: str, key: bytes) -> str:
    """Return what stands for a name as it was typed: the same for all its spellings, and nothing without the key."""
    return hmac.new(
        key, b"account\0" + folded_username(username).encode("utf-8", "surrogatepass"), hashlib.sha256
    ).hexdigest()[:32]


def attempt_of(username: str, account: Account | None, *, network: str, device: str | None, key: bytes) -> Attempt:
    """Return who tries what, for a name as it was typed and the account that has it, if one does."""
    return Attempt(digest_of(username, key), account.username if account else None, network, device)
