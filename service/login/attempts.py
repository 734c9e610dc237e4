"""Attempts: which account may be tried again, from where, and when.

An attempt is stored before its password is checked, under every key that limits it and in one step, and deleted when
the password was right: parallel guesses cannot slip through together, and a refusal is counted nowhere. Each limit
holds for a sliding window, such as the last 15 minutes. Usernames without an account are counted like all others.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from service.login.accounts import Account, folded_username

# A password is checked within two seconds: an attempt that would wait longer is shed at the gate.
PENDING_SECONDS: Final = 2
RETRY_PENDING_SECONDS: Final = 1
_PROGRAM: Final = "app password"  # in place of a device: no device has such an id


class Scope(StrEnum):
    ACCOUNT_FROM_NETWORK = "account_from_network"
    NETWORK = "network"
    ACCOUNT = "account"
    KNOWN_DEVICE = "known_device"
    APP_PASSWORD_NETWORK = "app_password_network"  # noqa: S105 - a limit


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` within `seconds`."""

    count: int
    seconds: int


Throttles = Mapping[Scope, Limit]


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt at an account, from a network (`192.0.2.7/32`), or from a device with a valid device cookie.

    `account` is a digest, and `username` is set only when an account has it: a username may be a password that was
    typed into the wrong field. Both are empty for a wrong app password, which is from a network alone.
    """

    account: str
    username: str | None
    network: str
    device: str | None = None

    @property
    def is_of_program(self) -> bool:
        """Whether an app password was wrong, and no password."""
        return self.device == _PROGRAM

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The limits that count it: a known device has its own, so an attack from elsewhere cannot lock it out.

        A wrong app password counts for its network alone, and not among the passwords from there.
        """
        if self.is_of_program:
            return (Scope.APP_PASSWORD_NETWORK,)
        if self.device is not None:
            return (Scope.KNOWN_DEVICE,)
        return (Scope.ACCOUNT_FROM_NETWORK, Scope.NETWORK, Scope.ACCOUNT)


@dataclass(frozen=True, slots=True)
class Count:
    """The attempts of a window, and the time of the oldest; `recent` ones may be under way, and be released.

    An attempt is recent for PENDING_SECONDS.
    """

    attempts: int
    oldest: int = 0
    recent: int = 0


@dataclass(frozen=True, slots=True)
class Reserved:
    """An attempt that is stored. `exhausted` are the limits of which it was the last allowed one."""

    id: str
    attempt: Attempt
    exhausted: tuple[Scope, ...] = ()


@dataclass(frozen=True, slots=True)
class Throttled:
    """Nothing was stored, and no password is checked before `until`."""

    scope: Scope
    until: int


@dataclass(frozen=True, slots=True)
class Tally:
    """The number of attempts of one network or account; `name` is None for a username without an account."""

    key: str
    name: str | None
    attempts: int
    latest: int


class Attempts(Protocol):
    """The store of attempts, shared by all workers and replicas.

    `reserve` counts the windows and stores the attempt in one step. `throttled_networks` is the number of networks that
    have used up their limit. `tallies` are by NETWORK or by ACCOUNT (without app passwords), the most attempts first.
    `clear` deletes those of an account (digest), of a network, or all, and returns their number.
    """

    def reserve(self, attempt: Attempt, throttles: Throttles, *, now: int) -> Reserved | Throttled: ...
    def release(self, reserved: Reserved) -> None: ...
    def throttled_networks(self, limit: Limit, *, now: int) -> int: ...
    def tallies(self, *, by: Scope, since: int) -> Iterator[Tally]: ...
    def clear(self, *, account: str | None = None, network: str | None = None) -> int: ...


def added_up(tallies: Iterable[Tally]) -> Iterator[Tally]:
    """Yield one tally for all of a network or an account, the most attempts first. Programs have no account."""
    found: dict[str, Tally] = {}
    for each in tallies:
        if each.key:
            other = found.get(each.key) or Tally(each.key, None, 0, each.latest)
            attempts, latest = each.attempts + other.attempts, max(each.latest, other.latest)
            found[each.key] = Tally(each.key, each.name or other.name, attempts, latest)
    return iter(sorted(found.values(), key=lambda tally: (-tally.attempts, tally.key)))


def decide(counts: Mapping[Scope, Count], throttles: Throttles, *, now: int) -> Throttled | tuple[Scope, ...]:
    """Return the refusal that lasts longest, or the limits of which the next attempt is the last allowed one."""
    refusals = [
        Throttled(scope, _until(count, throttles[scope], now))
        for scope, count in counts.items()
        if count.attempts >= throttles[scope].count
    ]
    if refusals:
        return max(refusals, key=lambda refusal: refusal.until)
    return tuple(scope for scope, count in counts.items() if count.attempts + 1 == throttles[scope].count)


def _until(count: Count, limit: Limit, now: int) -> int:
    """Return when the next attempt is allowed: in a second, when attempts that may yet be released fill the limit."""
    if count.attempts - count.recent < limit.count:
        return now + RETRY_PENDING_SECONDS
    return min(count.oldest, now) + limit.seconds


def digest_of(username: str, key: bytes) -> str:
    """Return the HMAC of a username as it was typed: 32 hexadecimal digits, the same for all its spellings."""
    folded = folded_username(username).encode("utf-8", "surrogatepass")
    return hmac.new(key, b"account\0" + folded, hashlib.sha256).hexdigest()[:32]


def attempt_of(username: str, account: Account | None, *, network: str, device: str | None, key: bytes) -> Attempt:
    """Return the attempt at a username as it was typed, and at the account that has it, if one does."""
    return Attempt(digest_of(username, key), account.username if account else None, network, device)


def attempt_of_program(network: str) -> Attempt:
    return Attempt("", None, network, _PROGRAM)
