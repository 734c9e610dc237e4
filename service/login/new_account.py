"""A new account, and changed details of one: which are accepted, and in which spelling they are stored."""

import re
import unicodedata
import uuid
from dataclasses import replace
from enum import StrEnum
from typing import Final, TypedDict, Unpack

from service.login.accounts import LONGEST_USERNAME, USERNAME_CHARACTERS, Account, canonical_group, canonical_username
from service.login.refusal import Refusal

MAXIMUM_TEXT: Final = 200
_SHOWN: Final = 64  # of a name that is refused
_ADDRESS: Final = re.compile(r"[!-?A-~]+@[!-?A-~]+")  # fits a header without encoding
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})  # control characters, lone surrogates, ends of lines


class BadDetail(StrEnum):
    USERNAME = (
        f"{{!r}} cannot be a username: 1 to {LONGEST_USERNAME} characters of {USERNAME_CHARACTERS}, "
        "starting with a letter or digit."
    )
    GROUP = "{!r} cannot be a group: 1 to 64 of a-z, 0-9 and . _ - starting with a letter or digit."
    EMAIL = (
        "The e-mail address must have one @ between printable ASCII without blanks, "
        f"and at most {MAXIMUM_TEXT} characters."
    )
    DISPLAY_NAME = f"The name must be one line of at most {MAXIMUM_TEXT} characters, none of them a control character."


class Details(TypedDict, total=False):
    email: str
    display_name: str
    groups: tuple[str, ...]
    is_admin: bool


def new_account(username: str, *, now: int, **details: Unpack[Details]) -> Account | Refusal:
    """Return a new account without a password; it is not stored yet."""
    name = canonical_username(username)
    if name is None:
        return Refusal(BadDetail.USERNAME, username[:_SHOWN])
    return with_details(Account(id=uuid.uuid4().hex, username=name, created_at=now), **details)


def with_details(account: Account, **details: Unpack[Details]) -> Account | Refusal:
    """Return the account with the given details changed. Groups are sorted, each once."""
    changed = replace(account, **details)
    if changed.email and not (len(changed.email) <= MAXIMUM_TEXT and _ADDRESS.fullmatch(changed.email)):
        return Refusal(BadDetail.EMAIL)
    if not is_one_line(changed.display_name, MAXIMUM_TEXT):
        return Refusal(BadDetail.DISPLAY_NAME)
    groups = {name: canonical_group(name) for name in changed.groups}
    bad = next((name for name, group in groups.items() if group is None), None)
    if bad is not None:
        return Refusal(BadDetail.GROUP, bad[:_SHOWN])
    return replace(changed, groups=tuple(sorted({group for group in groups.values() if group})))


def is_one_line(text: str, most: int) -> bool:
    """Whether a text that people read has at most so many characters, none of them a control character."""
    return len(text) <= most and not _UNPRINTABLE & set(map(unicodedata.category, text))
