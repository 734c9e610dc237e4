"""One rule of an app: which requests it is for, and whom it admits."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from service.access.paths import ROOT
from service.login.accounts import Account
from service.login.networks import Network, address_of


class Allow(StrEnum):
    """Whom a rule admits that names neither users nor groups."""

    SIGNED_IN = "signed-in"
    EVERYONE = "everyone"


class Misfit(StrEnum):
    """Why a rule is not for a request."""

    METHOD = "method"
    NETWORK = "network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule. Without methods or networks it is for all; `fresh` is in seconds since the password was typed.

    Either `allow` is given, or users, groups or both: each of these users and each member of these groups is admitted.
    """

    number: int  # its place in the app's file, from 1
    path: str = ROOT
    allow: Allow | None = None
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    fresh: int | None = None
    report_only: bool = False

    def misfit(self, method: str, address: str) -> Misfit | None:
        """Return why the rule is not for requests of this method from this client; None when it is."""
        asked = "GET" if method == "HEAD" and "HEAD" not in self.methods else method
        if self.methods and asked not in self.methods:
            return Misfit.METHOD
        ip = address_of(address) if self.networks else None
        if self.networks and not (ip and any(ip in network for network in self.networks)):
            return Misfit.NETWORK
        return None

    def admits(self, account: Account) -> bool:
        return (
            self.allow is not None or account.username in self.users or not set(self.groups).isdisjoint(account.groups)
        )

    def hides(self, later: "Rule") -> bool:
        """Whether a later rule of the file is never reached because this one takes all its requests."""
        takes_all = self.path == later.path and not self.methods and not self.networks
        return takes_all and (later.report_only or not self.report_only)


def never_reached(rules: Sequence[Rule]) -> list[tuple[Rule, Rule]]:
    """Return each rule that no request reaches, with the one before it that takes its requests."""
    pairs = ((later, [each for each in rules[:place] if each.hides(later)]) for place, later in enumerate(rules))
    return [(later, hiding[0]) for later, hiding in pairs if hiding]
