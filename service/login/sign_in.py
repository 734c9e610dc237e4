"""A sign-in: from a username and a password to a session, or a refusal.

A refusal is a value with a reason for the log and the metrics; to a client all refusals look alike.
"""

import secrets
from dataclasses import dataclass, replace
from enum import StrEnum

from service.hashing.gate import Shed
from service.login import device_cookies
from service.login.accounts import Account, canonical_username
from service.login.attempts import Scope, Throttled, attempt_of
from service.login.audit import FROM_KNOWN_DEVICE, Entry, Happened, refusal_entries
from service.login.networks import network_of
from service.login.sessions import Lifetimes, Session, hash_of, new_token
from service.login.stores import Stores
from service.login.verify_password import Verified, Verifier, verify_password

SWEPT_AT_ONCE = 10
BY_PASSWORD = "password"  # noqa: S105 - the name of a method


class Reason(StrEnum):
    UNKNOWN = "unknown"
    DISABLED = "disabled"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a reason, not a password
    UNUSABLE_HASH = "unusable_hash"
    THROTTLED = "throttled"
    BUSY = "busy"
    CHANGED = "changed"


class Device(StrEnum):
    KNOWN = "known"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused sign-in. `username` is set only when an account has it: it may be a password in the wrong field.

    `throttled` says by which limit, and until when; `exhausted` are the limits of which this was the last attempt;
    `flaw` is why the account's stored hash cannot be verified.
    """

    reason: Reason
    username: str | None = None
    throttled: Throttled | None = None
    exhausted: tuple[Scope, ...] = ()
    flaw: str | None = None


@dataclass(frozen=True, slots=True)
class Attempted:
    """How an attempt ended, and whether it came from a known device of the account (its device cookie was valid)."""

    outcome: Account | Refused
    device: Device


@dataclass(frozen=True, slots=True)
class Client:
    """The sender of a request: the peer's address, the browser's User-Agent, and its device cookie."""

    address: str
    user_agent: str
    device_cookie: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session of an account. The token goes into the browser's cookie and nowhere else."""

    token: str
    session: Session
    account: Account


def with_password(
    *, username: str, password: str, client: Client, stores: Stores, verifier: Verifier, now: int
) -> Attempted:
    """Verify a username and a password as they were typed; return the account, with the hash that was verified.

    Usernames without an account and disabled accounts cost the same work as others. An outdated hash is replaced.
    """
    name, keys = canonical_username(username), verifier.keys
    account = stores.accounts.by_username(name) if name else None
    stored_hash = account.password_hash if account and not account.is_disabled else None
    device = device_cookies.verify(client.device_cookie, account, keys=keys, now=now) if account else None
    known = Device.NEW if device is None else Device.KNOWN
    attempt = attempt_of(username, account, network=network_of(client.address), device=device, key=keys[0])
    verified = verify_password(stored_hash, password, attempt=attempt, verifier=verifier, now=now)
    if not isinstance(verified, Verified) or account is None or account.is_disabled or not verified.check.matches:
        return Attempted(_refused(account, verified, known, client=client, stores=stores, now=now), known)
    new_hash = verified.check.new_hash
    if new_hash and not stores.accounts.rehash_password(account.id, old=stored_hash or "", new=new_hash):
        # Another request has replaced the hash since it was read: the stored one counts.
        again = {"username": username, "password": password}
        return with_password(**again, client=client, stores=stores, verifier=verifier, now=now)
    return Attempted(replace(account, password_hash=new_hash or stored_hash), known)


def _refused(
    account: Account | None,
    verified: Verified | Throttled | Shed,
    device: Device,
    *,
    client: Client,
    stores: Stores,
    now: int,
) -> Refused:
    username = account.username if account else None
    if isinstance(verified, Shed):
        return Refused(Reason.BUSY, username)
    if isinstance(verified, Throttled):
        return Refused(Reason.THROTTLED, username, throttled=verified)
    reason = _reason(account, verified)
    detail = FROM_KNOWN_DEVICE if device is Device.KNOWN else ""
    entry = Entry(now, Happened.SIGN_IN_REFUSED, username or "", client.address, BY_PASSWORD, reason, detail)
    stores.audit.note(*refusal_entries(entry, verified.exhausted))
    return Refused(reason, username, exhausted=verified.exhausted, flaw=verified.check.flaw)


def _reason(account: Account | None, verified: Verified) -> Reason:
    if account is None:
        return Reason.UNKNOWN
    if account.is_disabled:
        return Reason.DISABLED
    return Reason.UNUSABLE_HASH if verified.check.flaw else Reason.WRONG_PASSWORD


def open_session(
    account: Account,
    *,
    client: Client,
    remembered: bool,
    replaces: bytes | None,
    stores: Stores,
    lifetimes: Lifetimes,
    now: int,
) -> Opened | Refused:
    """Open a session for an account whose password was verified, and end the browser's earlier one.

    Every new session deletes a few expired ones, so that rows do not pile up and nothing runs in the background.
    """
    opened = new_session(account, client=client, remembered=remembered, now=now)
    with stores.transaction():
        if not add_session(opened, stores):
            return Refused(Reason.CHANGED, account.username)
        if replaces is not None:
            stores.sessions.end(replaces)
        stores.sessions.delete_expired(lifetimes, now=now, limit=SWEPT_AT_ONCE)
    return opened


def add_session(opened: Opened, stores: Stores) -> bool:
    """Store a session in this transaction, unless its account was disabled or has another password by now."""
    account, session = opened.account, opened.session
    current = stores.accounts.lock_for_update(account.id)
    if current is None or current.is_disabled or current.password_hash != account.password_hash:
        return False
    stores.sessions.add(session)
    by, at, address = BY_PASSWORD, session.created_at, session.address
    stores.audit.add(Entry(at, Happened.SIGNED_IN, account.username, address, by, detail=session.id))
    return True


def new_session(account: Account, *, client: Client, remembered: bool, now: int) -> Opened:
    """Return a session for the account under a new token; it is not stored yet."""
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
    return Opened(token, session, account)
