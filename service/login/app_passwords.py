"""App passwords: with one a program without a sign-in page, such as a calendar on a phone, uses apps as an account.

Like a session's token an app password is 256 random bits of which only SHA-256 is stored. It has a name, is for some
apps, and may have an end. It is shown once, when it is made; it is ended by deleting its row. It opens no page of this
service.
"""

import secrets
from dataclasses import dataclass
from typing import Final, Protocol

from service.login.accounts import Account
from service.login.sessions import CLOCK_TOLERANCE_SECONDS, SEEN_EVERY_SECONDS, hash_of, new_token

PREFIX: Final = "vst_"  # of the service alone: programs that search files for leaked secrets find it
FORM: Final = PREFIX + "[A-Za-z0-9_-]{43}"


@dataclass(frozen=True, slots=True)
class AppPassword:
    """An app password of an account. `id` may be shown and logged; `apps` are names, sorted."""

    id: str
    token_hash: bytes
    account_id: str
    name: str
    apps: tuple[str, ...]
    created_at: int
    ends_at: int | None = None
    seen_at: int | None = None


@dataclass(frozen=True, slots=True)
class Owned:
    """An app password and its account, as one read returned them."""

    password: AppPassword
    account: Account


class AppPasswords(Protocol):
    """The store of app passwords. What `add`, `end` and `end_of_account` change is durable when they return.

    `find` is one indexed read. `of_account` is newest first. `touch` writes the time of last use, which may be lost
    while the store cannot be written. `end` ends one of the account by its public id and returns whether there was
    one, `end_of_account` returns how many there were.
    """

    def add(self, password: AppPassword) -> None: ...
    def find(self, token_hash: bytes) -> Owned | None: ...
    def of_account(self, account_id: str) -> list[AppPassword]: ...
    def touch(self, token_hash: bytes, *, now: int) -> None: ...
    def end(self, account_id: str, password_id: str) -> bool: ...
    def end_of_account(self, account_id: str) -> int: ...


def new_app_password(
    account_id: str, *, name: str, apps: tuple[str, ...], ends_at: int | None, now: int
) -> tuple[str, AppPassword]:
    """Return the text of a new app password, and what is stored of it."""
    text = PREFIX + new_token()
    return text, AppPassword(secrets.token_hex(6), hash_of(text), account_id, name, apps, now, ends_at)


def has_ended(password: AppPassword, *, now: int) -> bool:
    """Whether the app password has reached its end, or was made after `now` (by a clock that was wrong)."""
    is_over = password.ends_at is not None and now >= password.ends_at
    return is_over or password.created_at > now + CLOCK_TOLERANCE_SECONDS


def seen_is_due(password: AppPassword, *, now: int) -> bool:
    """Whether the time of last use is due to be written: at most once a minute."""
    return password.seen_at is None or now >= password.seen_at + SEEN_EVERY_SECONDS
