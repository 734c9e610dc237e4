"""The audit trail: what happened to accounts, who did it, from where, by what, with what outcome.

Entries are only ever added. A change's entry is written in the transaction of the change; a refusal's entry is
buffered, and written soon. The names of events follow the OWASP logging vocabulary.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from service.login.attempts import Scope

OPERATOR = "operator"
FROM_KNOWN_DEVICE = "from a known device"  # a refused sign-in's detail


class Happened(StrEnum):
    SIGNED_IN = "authn_login_success"
    SIGN_IN_REFUSED = "authn_login_fail"
    LIMIT_EXHAUSTED = "authn_login_fail_max"
    UNLOCKED = "authn_login_unlock"
    PASSWORD_CHANGED = "authn_password_change"  # noqa: S105 - an event
    PASSWORD_CHANGE_REFUSED = "authn_password_change_fail"  # noqa: S105
    LINK_MADE = "authn_link_created"
    SESSION_ENDED = "session_expired"
    APP_PASSWORD_MADE = "authn_token_created"  # noqa: S105
    APP_PASSWORD_REFUSED = "authn_token_created_fail"  # noqa: S105
    APP_PASSWORD_ENDED = "authn_token_revoked"  # noqa: S105
    ACCOUNT_ADDED = "user_created"
    ACCOUNT_CHANGED = "user_updated"
    ACCOUNT_REMOVED = "user_deleted"
    NETWORK_BLOCKED = "network_blocked"
    NETWORK_UNBLOCKED = "network_unblocked"
    RESTORED = "sys_restore"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry. `account` is the username of an account, or empty; `by` a method, or the operator."""

    at: int
    event: str
    account: str = ""
    address: str = ""
    by: str = ""
    outcome: str = "done"
    detail: str = ""


def refusal_entries(refused: Entry, exhausted: tuple[Scope, ...]) -> list[Entry]:
    """Return the entries of a refusal: that, when the username has an account, and one for each exhausted limit.

    A username without an account leaves no entry but that of its network's exhausted limit: the limits bound the trail.
    """
    reached = [scope for scope in exhausted if refused.account or scope is Scope.NETWORK]
    entries = [replace(refused, event=Happened.LIMIT_EXHAUSTED, outcome="throttled", detail=scope) for scope in reached]
    return [refused, *entries] if refused.account else entries


class Audit(Protocol):
    """The store of the trail.

    `add` writes in this thread's transaction, when there is one. `note` writes soon, so that a refusal waits for no
    disk: a crash of the process may lose the entries; no entry takes as long as some. `entries` are newest first.
    """

    def add(self, entry: Entry) -> None: ...
    def note(self, *entries: Entry) -> None: ...
    def entries(self, *, account: str | None = None, since: int = 0) -> Iterator[Entry]: ...
