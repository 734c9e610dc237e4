"""The story of a sign-in: from a name and a password to a session, or a refusal.

Refusals are values with a reason for the log and the metrics; to the person at the door they all look alike.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from service.hashing.gate import Shed
from service.login import device_cookies
from service.login.accounts import Account, canonical_username
from service.login.attempts import Scope, Throttled, attempt_of
from service.login.audit import Entry, Happened, refusal_entries
from service.login.networks import network_of
from service.login.sessions import Session, hash_of, new_token
from service.login.stores import Stores
from service.login.verify_password import Verified, verify_password

SWEPT_AT_ONCE = 10
BY_PASSWORD = "password"  # noqa: S105 - the name of a method


class Reason(StrEnum):
    """Why nobody was let in."""

    UNKNOWN = "unknown"
    DISABLED = "disabled"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a reason, not a password
    UNUSABLE_HASH = "unusable_hash"
    THROTTLED = "throttled"
    BUSY = "busy"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Granted:
    """The account whose password was right, as it was when it was checked."""

    account: Account


@dataclass(frozen=True, slots=True)
class Refused:
    """Not let in. `username` is set only when an account has it: a password typed in the wrong field is not logged.

    `throttled` says by which limit, and until when; `exhausted` are the limits of which this was the last attempt;
    `flaw` is why the account's stored hash cannot be checked, for the log.
    """

    reason: Reason
    username: str | None = None
    throttled: Throttled | None = None
    exhausted: tuple[Scope, ...] = ()
    flaw: str | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request came from: the peer's address, what its browser calls itself, and its cookie of known devices."""

    address: str
    user_agent: str
    device_cookie: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session. The token, and what makes the browser known, go into its cookies and nowhere else."""

    token: str
    session: Session
    device_cookie: str


def with_password(*, username: str, password: str, client: Client, stores: Stores, now: int) -> Granted | Refused:
    """Check a name and a password as they were typed.

    Unknown and disabled names take the same way through the same work as known ones. A hash made with
    other parameters than today's is replaced in the same turn at the gate.
    """
    name = canonical_username(username)
    account = stores.accounts.by_username(name) if name else None
    device = device_cookies.verify(client.device_cookie, account, keys=stores.keys, now=now) if account else None
    kept = account.password_hash if account and not account.is_disabled else None
    who = attempt_of(username, account, network=network_of(client.address), device=device, key=stores.keys[0])
    proof = verify_password(kept, password, attempt=who, stores=stores, now=now)
    if not isinstance(proof, Verified) or account is None or account.is_disabled or not proof.matches:
        return _refused(account, proof, client=client, stores=stores, now=now)
    if proof.new_hash and not stores.accounts.rehash_password(account.id, old=kept or "", new=proof.new_hash):
        # Somebody else replaced the hash while we checked against it: what counts is what is kept now.
        return with_password(username=username, password=password, client=client, stores=stores, now=now)
    return Granted(replace(account, password_hash=proof.new_hash or kept))


def _refused(
    account: Account | None, proof: Verified | Throttled | Shed, *, client: Client, stores: Stores, now: int
) -> Refused:
    username = account.username if account else None
    if isinstance(proof, Shed):
        return Refused(Reason.BUSY, username)
    if isinstance(proof, Throttled):
        return Refused(Reason.THROTTLED, username, throttled=proof)
    reason = _reason(account, proof)
    said = Entry(now, Happened.SIGN_IN_REFUSED, username or "", client.address, BY_PASSWORD, reason)
    stores.audit.note(*refusal_entries(said, proof.exhausted))
    return Refused(reason, username, exhausted=proof.exhausted, flaw=proof.flaw)


def _reason(account: Account | None, proof: Verified) -> Reason:
    if account is None:
        return Reason.UNKNOWN
    if account.is_disabled:
        return Reason.DISABLED
    return Reason.UNUSABLE_HASH if proof.flaw else Reason.WRONG_PASSWORD


def open_session(
    account: Account, *, client: Client, remembered: bool, replaces: bytes | None, stores: Stores, now: int
) -> Opened | Refused:
    """Give a granted account a session of its own, always with a new token, and end the browser's old one.

    The account is read again where the session is written: a password changed or an account disabled
    while the password was being checked must not leave a session behind. Every new session sweeps out a few
    that have expired, so that rows cannot pile up and nothing has to run in the background.
    """
    opened = new_session(account, client=client, remembered=remembered, keys=stores.keys, now=now)
    with stores.transaction():
        current = stores.accounts.lock_for_update(account.id)
        if current is None or current.is_disabled or current.password_hash != account.password_hash:
            return Refused(Reason.CHANGED, account.username)
        if replaces is not None:
            stores.sessions.end(replaces)
        stores.sessions.delete_expired(stores.lifetimes, now=now, limit=SWEPT_AT_ONCE)
        stores.sessions.add(opened.session)
        stores.audit.add(
            Entry(now, Happened.SIGNED_IN, account.username, client.address, BY_PASSWORD, detail=opened.session.id)
        )
    return opened


def new_session(account: Account, *, client: Client, remembered: bool, keys: Sequence[bytes], now: int) -> Opened:
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
    return Opened(token, session, device_cookies.issue(account, client.device_cookie, keys=keys, now=now))
