"""The audit trail: what happened to accounts, who did it, from where, by what, with what outcome.

It is only ever added to. What changes something is written in the same transaction as the change; what was
refused is noted, and written soon. Names after the OWASP logging vocabulary.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

OPERATOR = "operator"


class Happened(StrEnum):
    """What an entry is about."""

    SIGNED_IN = "authn_login_success"
    SIGN_IN_REFUSED = "authn_login_fail"
    LIMIT_USED_UP = "authn_login_fail_max"
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
    event: Happened
    account: str = ""
    address: str = ""
    by: str = ""
    outcome: str = "done"
    detail: str = ""


class Audit(Protocol):
    """Where the trail is kept."""

    def add(self, entry: Entry) -> None:
        """Write an entry, in this thread's transaction when there is one. Durable when that is."""

    def note(self, entry: Entry) -> None:
        """Write an entry soon: a crash of the process may lose it, and whoever is refused does not wait for a disk."""

    def entries(self, *, account: str | None = None, since: int = 0) -> Iterator[Entry]:
        """Yield what happened since then, the newest first."""
