"""Sessions: tokens, how long they live, and the port that keeps them.

A token is 256 random bits and means nothing by itself; only its SHA-256 is kept, so a copy of the
database opens no door. Ending a session is deleting its row: nothing outlives that.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from service.login.accounts import Account

TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
SEEN_EVERY_SECONDS = 60
# How far the clocks of two replicas may lie apart.
CLOCK_TOLERANCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long sessions live, in seconds: without use (idle) and in all (absolute)."""

    idle: int
    absolute: int
    remembered_idle: int
    remembered_absolute: int

    def of(self, *, remembered: bool) -> tuple[int, int]:
        """Return (idle, absolute) for a plain or a "stay signed in" session."""
        return (self.remembered_idle, self.remembered_absolute) if remembered else (self.idle, self.absolute)


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is signed in. `id` may be shown and logged; the token never is."""

    id: str
    token_hash: bytes
    account_id: str
    created_at: int
    seen_at: int
    remembered: bool
    address: str
    user_agent: str


def new_token() -> str:
    """Return a fresh token: 43 base64url characters that carry 256 random bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> bytes:
    """Return SHA-256 of a token that we made."""
    return hashlib.sha256(token.encode("ascii")).digest()


def hash_of_claimed(token: str) -> bytes | None:
    """Return SHA-256 of what a client says is a token; None when it cannot be one that we made.

    The text itself is hashed, never decoded: of the four spellings that decode to the same bits only the
    one that was issued opens anything, so what a cache keys is what is judged.
    """
    if not _TOKEN.fullmatch(token):
        return None
    return hash_of(token)


def is_live(session: Session, lifetimes: Lifetimes, *, now: int) -> bool:
    """Whether the session is neither idle nor old beyond its lifetimes, nor was used (or made) after `now`.

    The clock was wrong then, and set right since: counted from such a time, no lifetime would end when it should.
    """
    idle, absolute = lifetimes.of(remembered=session.remembered)
    is_ahead = session.seen_at > now + CLOCK_TOLERANCE_SECONDS
    return not is_ahead and now < session.seen_at + idle and now < session.created_at + absolute


def seen_is_due(session: Session, *, now: int) -> bool:
    """Whether the time of last use should be written again: at most once a minute, reads stay reads."""
    return now >= session.seen_at + SEEN_EVERY_SECONDS


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session and the account it belongs to, as one read returned them."""

    session: Session
    account: Account


def may_be_used(found: SignedIn, lifetimes: Lifetimes, *, now: int) -> bool:
    """The one gate for whoever comes with a session: it is live, and its account is not disabled."""
    return is_live(found.session, lifetimes, now=now) and not found.account.is_disabled


class Sessions(Protocol):
    """Where sessions are kept."""

    def add(self, session: Session) -> None:
        """Keep a new session. It is durable when this returns."""

    def find(self, token_hash: bytes) -> SignedIn | None:
        """Return the session with its account, live or not; one indexed read."""

    def of_account(self, account_id: str) -> list[Session]:
        """Return an account's sessions, newest first."""

    def all(self) -> Iterator[SignedIn]:
        """Yield every session with its account, newest first."""

    def count_live(self, lifetimes: Lifetimes, *, now: int) -> int:
        """Return how many sessions are live."""

    def touch(self, token_hash: bytes, *, now: int) -> None:
        """Write the time of last use. A session that was ended meanwhile stays ended."""

    def end(self, token_hash: bytes) -> bool:
        """Delete the row; whether there was one. Durable when this returns."""

    def end_by_id(self, session_id: str) -> bool:
        """Delete the session with this public id; whether there was one."""

    def end_of_account(self, account_id: str) -> int:
        """Delete an account's sessions; how many ended."""

    def end_all(self) -> int:
        """Delete every session; how many ended."""

    def delete_expired(self, lifetimes: Lifetimes, *, now: int, limit: int) -> int:
        """Delete at most `limit` sessions that are no longer live; how many were deleted."""
