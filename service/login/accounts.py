"""Accounts: what one is, how it may be called, and the port that keeps them."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

LONGEST_USERNAME: Final = 64
USERNAME_CHARACTERS: Final = "a to z, 0 to 9 and . _ @ + ' -"
_USERNAME = re.compile(rf"[a-z0-9][a-z0-9._@+'-]{{0,{LONGEST_USERNAME - 1}}}")
# White space around a name is forgiven up to here. Longer text is refused before it is normalised: the time of that
# grows with the square of a run of combining marks.
_MOST_TYPED: Final = 4 * LONGEST_USERNAME
_GROUP = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Account:
    """One person who may sign in. Without `password_hash` (PHC string) no password opens it."""

    id: str
    username: str
    created_at: int
    display_name: str = ""
    email: str = ""
    groups: tuple[str, ...] = ()
    is_admin: bool = False
    password_hash: str | None = None
    password_changed_at: int | None = None
    disabled_at: int | None = None

    @property
    def is_disabled(self) -> bool:
        """Whether an operator has shut this account."""
        return self.disabled_at is not None


def canonical_username(text: str) -> str | None:
    """Return the one spelling that is stored, looked up, limited and logged; None when it cannot be one.

    NFKC, case folding and NFKC again (Unicode 3.13, toNFKC_Casefold without the default ignorables),
    outer white space removed: what a phone keyboard adds must not make a second account.
    """
    folded = folded_username(text)
    return folded if _USERNAME.fullmatch(folded) else None


def folded_username(text: str) -> str:
    """Return the canonical spelling of text that need not be a username; text that is too long stays as it is."""
    if len(text) > _MOST_TYPED:
        return text
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def canonical_group(text: str) -> str | None:
    """Return the group's one spelling, or None when it cannot be one (it must fit a header and a comma list)."""
    folded = text.strip().lower()
    return folded if _GROUP.fullmatch(folded) else None


class UsernameTaken(Exception):
    """Another account has that username."""


class Accounts(Protocol):
    """Where accounts are kept. Usernames given here are canonical; `now` is whole seconds since the epoch."""

    def by_username(self, username: str) -> Account | None:
        """Return the account with this canonical username."""

    def by_id(self, account_id: str) -> Account | None:
        """Return the account with this id."""

    def hold(self, account_id: str) -> Account | None:
        """Return the account as it is now, and let nobody change it before this transaction ends."""

    def all(self) -> Iterator[Account]:
        """Yield every account, by username, without holding all of them in memory."""

    def count(self) -> dict[str, int]:
        """Return how many accounts there are by state: `active`, `disabled`, and `invited` (no password yet)."""

    def has_administrator(self) -> bool:
        """Whether anybody who is not disabled administers the service."""

    def add(self, account: Account) -> None:
        """Keep a new account with its groups. Raises UsernameTaken."""

    def replace(self, account: Account) -> None:
        """Write the account's e-mail, display name, groups, administrator flag and disabled time."""

    def set_password(self, account_id: str, password_hash: str, *, now: int) -> None:
        """Write a new password hash."""

    def rehash_password(self, account_id: str, *, old: str, new: str) -> bool:
        """Write the same password's new hash, unless the password was changed since `old` was read; whether it did."""

    def delete(self, account_id: str) -> None:
        """Remove the account, its groups, its sessions and its links."""
