"""Accounts: the record, its username's one spelling, and the port of its store."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

LONGEST_USERNAME: Final = 64
USERNAME_CHARACTERS: Final = "a to z, 0 to 9 and . _ @ + ' -"
_USERNAME = re.compile(rf"[a-z0-9][a-z0-9._@+'-]{{0,{LONGEST_USERNAME - 1}}}")
# With the white space around it. Longer text is refused before it is normalised: the time that normalising takes grows
# with the square of a run of combining marks.
_MOST_TYPED: Final = 4 * LONGEST_USERNAME
_GROUP = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Account:
    """An account. Without a `password_hash` (PHC string) no password is right."""

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
    device_cookies_after: int = 0  # a device cookie is valid when it was issued later

    @property
    def is_disabled(self) -> bool:
        return self.disabled_at is not None


def canonical_username(text: str) -> str | None:
    """Return the one spelling that is stored, looked up, counted and logged; None when the text cannot be a username.

    NFKC, case folding and NFKC again (Unicode 3.13, toNFKC_Casefold without the default ignorables),
    outer white space removed: a phone keyboard adds capitals and blanks.
    """
    folded = folded_username(text)
    return folded if _USERNAME.fullmatch(folded) else None


def folded_username(text: str) -> str:
    """Return the canonical spelling of text that need not be a username; text that is too long stays as it is."""
    if len(text) > _MOST_TYPED:
        return text
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def canonical_group(text: str) -> str | None:
    """Return the group's one spelling; None when the text cannot be a group (it must fit a header and a comma list)."""
    folded = text.strip().lower()
    return folded if _GROUP.fullmatch(folded) else None


class UsernameTaken(Exception):
    """Another account has that username."""


class Accounts(Protocol):
    """The store of accounts. Usernames are canonical; `now` is whole seconds since the epoch.

    `lock_for_update` returns the account as it is now, and keeps others from changing it until the transaction ends.
    `all` yields by username, without all accounts in memory. `count` is by state: `active`, `disabled`, `invited` (no
    password yet). `has_administrator` counts only accounts that are not disabled, and not the one with the id
    `besides`. `add` raises UsernameTaken. `replace` writes e-mail, display name, groups, administrator flag, disabled
    time and `device_cookies_after`. `rehash_password` writes another hash of the same password, unless the stored one
    is no longer `old`, and returns whether it was written. `delete` removes groups, sessions, links and app
    passwords, too.
    """

    def by_username(self, username: str) -> Account | None: ...
    def by_id(self, account_id: str) -> Account | None: ...
    def lock_for_update(self, account_id: str) -> Account | None: ...
    def all(self) -> Iterator[Account]: ...
    def count(self) -> dict[str, int]: ...
    def has_administrator(self, *, besides: str = "") -> bool: ...
    def add(self, account: Account) -> None: ...
    def replace(self, account: Account) -> None: ...
    def set_password(self, account_id: str, password_hash: str, *, now: int) -> None: ...
    def rehash_password(self, account_id: str, *, old: str, new: str) -> bool: ...
    def delete(self, account_id: str) -> None: ...
