"""Sessions: their tokens, their lifetimes, and the port of their store.

A token is 256 random bits without a meaning; only its SHA-256 is stored, so a copy of the database opens no session.
A session is ended by deleting its row.
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


@dataclass(frozen=True, slots=True, kw_only=True)
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
    """A browser that is signed in. `id` may be shown and logged; the token never is."""

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
    """Return SHA-256 of a token that the service made."""
    return hashlib.sha256(token.encode("ascii")).digest()


def hash_of_claimed(token: str) -> bytes | None:
    """Return SHA-256 of a token that a client sent; None when its form is not that of a token.

    The text is hashed, not the bytes that it encodes: of the four spellings of the same bytes only the issued one is
    valid, so a cache's key and the service's decision are about the same text.
    """
    return hash_of(token) if _TOKEN.fullmatch(token) else None


def is_live(session: Session, lifetimes: Lifetimes, *, now: int) -> bool:
    """Whether the session is within both lifetimes, and was not used (or made) after `now`.

    A time after `now` was written while the clock was wrong: no lifetime that is counted from it ends in time.
    """
    idle, absolute = lifetimes.of(remembered=session.remembered)
    is_ahead = session.seen_at > now + CLOCK_TOLERANCE_SECONDS
    return not is_ahead and now < session.seen_at + idle and now < session.created_at + absolute


def seen_is_due(session: Session, *, now: int) -> bool:
    """Whether the time of last use is due to be written: at most once a minute."""
    return now >= session.seen_at + SEEN_EVERY_SECONDS


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session and its account, as one read returned them."""

    session: Session
    account: Account


def may_be_used(found: SignedIn, lifetimes: Lifetimes, *, now: int) -> bool:
    """Whether the session is live and its account is not disabled: the one rule for every request with a session."""
    return is_live(found.session, lifetimes, now=now) and not found.account.is_disabled


class Sessions(Protocol):
    """The store of sessions. What `add` and `end` change is durable when they return.

    `find` returns a session, live or not, in one indexed read. `of_account` and `all` are newest first. `touch` writes
    the time of last use, which may be lost while the store cannot be written; it brings no ended session back. `end`
    and `end_by_id` (the public id) return whether there was a session, `end_of_account`, `end_all` and
    `delete_expired` how many were deleted.
    """

    def add(self, session: Session) -> None: ...
    def find(self, token_hash: bytes) -> SignedIn | None: ...
    def of_account(self, account_id: str) -> list[Session]: ...
    def all(self) -> Iterator[SignedIn]: ...
    def count_live(self, lifetimes: Lifetimes, *, now: int) -> int: ...
    def touch(self, token_hash: bytes, *, now: int) -> None: ...
    def end(self, token_hash: bytes) -> bool: ...
    def end_by_id(self, session_id: str) -> bool: ...
    def end_of_account(self, account_id: str) -> int: ...
    def end_all(self) -> int: ...
    def delete_expired(self, lifetimes: Lifetimes, *, now: int, limit: int) -> int: ...
