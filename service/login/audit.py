"""The audit trail: what happened to accounts, who did it, from where, by what, with what outcome.

It is only ever added to. What changes something is written in the same transaction as the change; what was
refused is noted, and written soon. Names after the OWASP logging vocabulary.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from service.login.attempts import Scope

OPERATOR = "operator"


class Happened(StrEnum):
    """What an entry is about."""

    SIGNED_IN = "authn_login_success"
    SIGN_IN_REFUSED = "authn_login_fail"
    LIMIT_EXHAUSTED = "authn_login_fail_max"
    UNLOCKED = "authn_login_unlock"
    PASSWORD_CHANGED = "authn_password_change"  # noqa: S105 - an event
    PASSWORD_CHANGE_REFUSED = "authn_password_change_fail"  # noqa: S105
    LINK_MADE = "authn_link_created"
    SESSION_ENDED = "session_expired"
    ACCOUNT_ADDED = "user_created"
    ACCOUNT_CHANGED = "user_updated"
    ACCOUNT_REMOVED = "user_deleted"
    NETWORK_BLOCKED = "network_blocked"
    NETWORK_UNBLOCKED = "network_unblocked"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the trail. `account` is a username that exists, or empty; `by` a method, or the operator."""

    at: int
    event: str
    account: str = ""
    address: str = ""
    by: str = ""
    outcome: str = "done"
    detail: str = ""


def refusal_entries(said: Entry, exhausted: tuple[Scope, ...]) -> list[Entry]:
    """Return what the trail keeps of a refusal: that, when an account was tried, and each limit that it used up.

    All of it is bounded by the limits. Names that nobody has are counted, and not written down one by one: of them
    the trail has only the networks that tried too many.
    """
    reached = [scope for scope in exhausted if said.account or scope is Scope.NETWORK]
    entries = [replace(said, event=Happened.LIMIT_EXHAUSTED, outcome="throttled", detail=scope) for scope in reached]
    return [said, *entries] if said.account else entries


class Audit(Protocol):
    """Where the trail is kept."""

    def add(self, entry: Entry) -> None:
        """Write an entry, in this thread's transaction when there is one. Durable when that is."""

    def note(self, *entries: Entry) -> None:
        """Write entries soon: a crash of the process may lose them, and whoever is refused does not wait for a disk.

        None takes as long as some: a name that nobody has leaves no entry.
        """

    def entries(self, *, account: str | None = None, since: int = 0) -> Iterator[Entry]:
        """Yield what happened since then, the newest first."""
