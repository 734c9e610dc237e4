"""The story of a sign-in: from a name and a password to a session, or a refusal.

Refusals are values with a reason for the log and the metrics; to the person at the door they all look alike.
"""

import secrets
from dataclasses import dataclass, replace
from enum import StrEnum

from service.login.accounts import Account, canonical_username
from service.login.hashing import Shed
from service.login.passwords import Check, Passwords
from service.login.sessions import Session, hash_of, new_token
from service.login.stores import Stores

SWEPT_AT_ONCE = 10


class Reason(StrEnum):
    """Why nobody was let in."""

    UNKNOWN = "unknown"
    DISABLED = "disabled"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a reason, not a password
    BUSY = "busy"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Granted:
    """The account whose password was right, as it was when it was checked."""

    account: Account


@dataclass(frozen=True, slots=True)
class Refused:
    """Not let in. `username` is set only when an account has it: a password typed in the wrong field is not logged."""

    reason: Reason
    username: str | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request came from: the peer's address, and what its browser calls itself."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session. The token goes into the browser's cookie and nowhere else."""

    token: str
    session: Session


def with_password(*, username: str, password: str, stores: Stores) -> Granted | Refused:
    """Check a name and a password as they were typed.

    Unknown and disabled names take the same way through the same work as known ones. A hash made with
    other parameters than today's is replaced in the same turn at the gate.
    """
    name = canonical_username(username)
    account = stores.accounts.by_username(name) if name else None
    kept = account.password_hash if account and not account.is_disabled else None
    proof = stores.gate.run(lambda: _prove(stores.passwords, kept, password))
    if isinstance(proof, Shed):
        return Refused(Reason.BUSY, account.username if account else None)
    if account is None:
        return Refused(Reason.UNKNOWN)
    if account.is_disabled:
        return Refused(Reason.DISABLED, account.username)
    if not proof.check.matches:
        return Refused(Reason.WRONG_PASSWORD, account.username)
    if proof.new_hash and not stores.accounts.rehash_password(account.id, old=kept or "", new=proof.new_hash):
        # Somebody else replaced the hash while we checked against it: what counts is what is kept now.
        return with_password(username=username, password=password, stores=stores)
    return Granted(replace(account, password_hash=proof.new_hash or kept))


@dataclass(frozen=True, slots=True)
class _Proof:
    check: Check
    new_hash: str | None


def _prove(passwords: Passwords, kept: str | None, password: str) -> _Proof:
    check = passwords.check(kept, password)
    return _Proof(check, passwords.hash(password) if check.matches and check.outdated else None)


def open_session(
    account: Account, *, client: Client, remembered: bool, replaces: bytes | None, stores: Stores, now: int
) -> Opened | Refused:
    """Give a granted account a session of its own, always with a new token, and end the browser's old one.

    The account is read again where the session is written: a password changed or an account disabled
    while the password was being checked must not leave a session behind. Every new session sweeps out a few
    that have expired, so that rows cannot pile up and nothing has to run in the background.
    """
    opened = new_session(account, client=client, remembered=remembered, now=now)
    with stores.transaction():
        current = stores.accounts.hold(account.id)
        if current is None or current.is_disabled or current.password_hash != account.password_hash:
            return Refused(Reason.CHANGED, account.username)
        if replaces is not None:
            stores.sessions.end(replaces)
        stores.sessions.delete_expired(stores.lifetimes, now=now, limit=SWEPT_AT_ONCE)
        stores.sessions.add(opened.session)
    return opened


def new_session(account: Account, *, client: Client, remembered: bool, now: int) -> Opened:
    """Return a session for the account under a fresh token, not kept yet."""
    token = new_token()
    session = Session(
        id=secrets.token_hex(6),
        token_hash=hash_of(token),
        account_id=account.id,
        created_at=now,
        seen_at=now,
        remembered=remembered,
        address=client.address,
        user_agent=client.user_agent,
    )
    return Opened(token, session)
