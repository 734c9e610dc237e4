"""One-time links: set-up of the first administrator, invitations, password resets.

A link lets somebody choose a password once, before it expires. Like a session it is a random token
of which only the hash is kept. Looking at a link uses nothing up (mail scanners look); choosing does.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from service.login.sessions import CLOCK_TOLERANCE_SECONDS, hash_of, new_token

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SWEPT_AT_ONCE = 10


class Purpose(StrEnum):
    """What a link is for."""

    SET_UP = "set-up"
    INVITATION = "invitation"
    RESET = "reset"


LIFETIME = {Purpose.SET_UP: HOUR, Purpose.INVITATION: 3 * DAY, Purpose.RESET: HOUR}


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was handed out. Only a set-up link has no account yet."""

    token_hash: bytes
    purpose: Purpose
    account_id: str | None
    expires_at: int


def is_usable(link: Link, *, now: int) -> bool:
    """Whether the link has not expired, nor was made after `now`, when the clock was wrong."""
    return now < link.expires_at <= latest_expiry(link.purpose, now=now)


def latest_expiry(purpose: Purpose, *, now: int) -> int:
    """Return when a link expires that is made now; the clocks of two replicas may differ a little."""
    return now + LIFETIME[purpose] + CLOCK_TOLERANCE_SECONDS


class Links(Protocol):
    """Where one-time links are kept."""

    def put(self, link: Link) -> None:
        """Keep a link in place of any earlier one of the same account (or any earlier set-up link)."""

    def find(self, token_hash: bytes) -> Link | None:
        """Return the link, usable or not."""

    def consume(self, token_hash: bytes) -> bool:
        """Delete the link; True for exactly one of any number of callers."""

    def end_of_account(self, account_id: str) -> None:
        """Delete the account's link, if it has one. Durable when this returns."""

    def delete_expired(self, *, now: int, limit: int) -> int:
        """Delete at most `limit` links that can no longer be used; how many were deleted."""


def hand_out(purpose: Purpose, account_id: str | None, *, links: Links, now: int) -> str:
    """Keep a new link, in place of an earlier one, and return its token: shown once, to whoever asked for it."""
    token = new_token()
    links.delete_expired(now=now, limit=SWEPT_AT_ONCE)
    links.put(Link(hash_of(token), purpose, account_id, now + LIFETIME[purpose]))
    return token
