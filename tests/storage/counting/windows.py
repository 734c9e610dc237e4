"""Windows and attempts that the tests of what counts them share."""

from collections.abc import Sequence
from typing import Final

from service.login.attempts import Attempt, Attempts, Limit, Reserved, Scope, Throttled
from tests.storage.stores import NOW

ALICE: Final = "a" * 32
BOB: Final = "b" * 32
HERE: Final = "192.0.2.7/32"
THERE: Final = "2001:db8:0:7::/64"
LIMITS: Final = {
    Scope.ACCOUNT_FROM_NETWORK: Limit(3, 60),
    Scope.NETWORK: Limit(5, 90),
    Scope.ACCOUNT: Limit(7, 120),
    Scope.KNOWN_DEVICE: Limit(2, 60),
    Scope.APP_PASSWORD_NETWORK: Limit(4, 60),
}
Verdict = Reserved | Throttled


def attempt_of(account: str = ALICE, network: str = HERE, device: str | None = None) -> Attempt:
    """Return an attempt at an account that exists."""
    return Attempt(account, {ALICE: "alice", BOB: "bob"}.get(account), network, device)


def elsewhere(number: int) -> str:
    """Return one of many networks."""
    return f"198.51.{number // 250}.{number % 250}/32"


def reserve(attempts: Attempts, who: Attempt, *moments: int) -> list[Verdict]:
    """Try at each of the moments, given as seconds from NOW."""
    return [attempts.reserve(who, LIMITS, now=NOW + moment) for moment in moments]


def reserved(verdict: Verdict) -> Reserved:
    """Return a verdict that must be a reservation."""
    assert isinstance(verdict, Reserved), verdict
    return verdict


def let_through(verdicts: Sequence[Verdict]) -> int:
    """Return how many may go on."""
    return sum(isinstance(verdict, Reserved) for verdict in verdicts)


def kept(attempts: Attempts, by: Scope = Scope.ACCOUNT) -> dict[str, int]:
    """Return how many attempts are kept, in the tallies of each kind."""
    return {tally.key: tally.attempts for tally in attempts.tallies(by=by, since=NOW - 1000)}
