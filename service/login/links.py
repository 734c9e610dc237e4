"""One-time links: set-up of the first administrator, invitations, password resets.

With a link a password is chosen once, before the link expires. Like a session it is a random token of which only the
hash is stored. Opening a link does not consume it (mail scanners open links); choosing a password does.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from service.login.sessions import CLOCK_TOLERANCE_SECONDS, hash_of, new_token

HOUR = 60 * 60
DAY = 24 * HOUR
SWEPT_AT_ONCE = 10


class Purpose(StrEnum):
    SET_UP = "set-up"
    INVITATION = "invitation"
    RESET = "reset"


LIFETIME = {Purpose.SET_UP: HOUR, Purpose.INVITATION: 3 * DAY, Purpose.RESET: HOUR}


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was issued. Only a set-up link has no account."""

    token_hash: bytes
    purpose: Purpose
    account_id: str | None
    expires_at: int


def is_usable(link: Link, *, now: int) -> bool:
    """Whether the link has not expired, and was not made after `now` (by a clock that was wrong)."""
    return now < link.expires_at <= latest_expiry(link.purpose, now=now)


def latest_expiry(purpose: Purpose, *, now: int) -> int:
    """Return the latest time at which a link that exists now may expire; the clocks of two replicas may differ."""
    return now + LIFETIME[purpose] + CLOCK_TOLERANCE_SECONDS


class Links(Protocol):
    """The store of one-time links. What `end_of_account` deletes is durably gone when it returns.

    `put` stores a link in place of an earlier one of the same account (or of an earlier set-up link). `find` returns a
    link, usable or not. `consume` deletes a link: True for exactly one of any number of callers. `end_of_account` and
    `delete_expired` return how many links were deleted.
    """

    def put(self, link: Link) -> None: ...
    def find(self, token_hash: bytes) -> Link | None: ...
    def consume(self, token_hash: bytes) -> bool: ...
    def end_of_account(self, account_id: str) -> int: ...
    def delete_expired(self, *, now: int, limit: int) -> int: ...


def hand_out(purpose: Purpose, account_id: str | None, *, links: Links, now: int) -> str:
    """Store a new link, in place of an earlier one, and return its token, which is shown once."""
    token = new_token()
    links.delete_expired(now=now, limit=SWEPT_AT_ONCE)
    links.put(Link(hash_of(token), purpose, account_id, now + LIFETIME[purpose]))
    return token
