"""A new password: changed by the account's owner, or chosen through a one-time link.

Every new password ends all sessions of the account.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from service.hashing.fair_queue import Key
from service.hashing.gate import Shed
from service.login.accounts import Account, UsernameTaken
from service.login.attempts import Attempt, Throttled, attempt_of
from service.login.audit import Entry, Happened, refusal_entries
from service.login.links import Link, Purpose, is_usable
from service.login.networks import network_of
from service.login.new_account import new_account
from service.login.password_policy import Weakness, hash_if_accepted
from service.login.refusal import Refusal
from service.login.sessions import SignedIn
from service.login.sign_in import Client, Opened, add_session, new_session
from service.login.stores import Stores
from service.login.verify_password import Verifier, queue_key, verify_password

BY_SESSION = "session"


class Problem(StrEnum):
    """Why there is no new password, besides its weakness."""

    WRONG_CURRENT = "wrong_password"  # as for a sign-in: the event tells the two apart
    UNLIKE = "unlike"
    USERNAME_INVALID = "username_invalid"
    USERNAME_TAKEN = "username_taken"
    LINK_SPENT = "link_spent"
    SIGNED_OUT = "signed_out"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Typed:
    """A new password as it was typed, twice."""

    password: str
    repeat: str


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser that is signed in: its session and account, and the sender of the request."""

    signed_in: SignedIn
    client: Client


def change(
    browser: Browser, *, current: str, typed: Typed, stores: Stores, verifier: Verifier, now: int
) -> Opened | Problem | Weakness | Throttled:
    """Change a password whose current one is known; every session ends, and this browser gets a new one."""
    account, session = browser.signed_in.account, browser.signed_in.session
    wrong = refusal_of_current(browser, current, stores, verifier, now=now)
    if wrong is not None:
        return wrong
    new_hash = _accepted_hash(account, typed, queue_key(_attempt(browser, verifier)), verifier)
    if isinstance(new_hash, Problem | Weakness):
        return new_hash
    renewed = replace(account, password_changed_at=now)
    opened = new_session(renewed, client=browser.client, remembered=session.remembered, now=now)
    with stores.transaction():
        stored = stores.accounts.lock_for_update(account.id)
        if stored is None or stored.is_disabled:
            return Problem.WRONG_CURRENT
        if stored.password_hash == account.password_hash:
            if stores.sessions.find(session.token_hash) is None:  # ended since: it must not be followed by a new one
                return Problem.SIGNED_OUT
            _write(stored, new_hash, stores, now)
            stores.sessions.add(opened.session)
            address = browser.client.address
            stores.audit.add(Entry(now, Happened.PASSWORD_CHANGED, stored.username, address, BY_SESSION))
            return opened
    return _second_change(replace(browser, signed_in=SignedIn(session, stored)), typed, stores, verifier, now)


def _second_change(
    browser: Browser, typed: Typed, stores: Stores, verifier: Verifier, now: int
) -> Opened | Problem | Throttled:
    """Answer the second click of a double click, which finds that the password is the new one already.

    The browser dropped the answer to the first click with its session cookie, so it gets a session of its own.
    """
    wrong = refusal_of_current(browser, typed.password, stores, verifier, now=now)
    if wrong is not None:
        return wrong
    account, session = browser.signed_in.account, browser.signed_in.session
    opened = new_session(account, client=browser.client, remembered=session.remembered, now=now)
    with stores.transaction():
        return opened if add_session(opened, stores) else Problem.WRONG_CURRENT


def refusal_of_current(
    browser: Browser,
    password: str,
    stores: Stores,
    verifier: Verifier,
    *,
    now: int,
    event: Happened = Happened.PASSWORD_CHANGE_REFUSED,
) -> Problem | Throttled | None:
    """Return why a password is not accepted as that of the account which is signed in; None when it is.

    A stolen session is throttled. `event` stands in the audit trail for a wrong password.
    """
    account, attempt = browser.signed_in.account, _attempt(browser, verifier)
    verified = verify_password(account.password_hash, password, attempt=attempt, verifier=verifier, now=now)
    if isinstance(verified, Throttled):
        return verified
    if isinstance(verified, Shed):
        return Problem.BUSY
    if verified.check.matches:
        return None
    entry = Entry(now, event, account.username, browser.client.address, BY_SESSION, Problem.WRONG_CURRENT)
    stores.audit.note(*refusal_entries(entry, verified.exhausted))
    return Problem.WRONG_CURRENT


def _attempt(browser: Browser, verifier: Verifier) -> Attempt:
    """Return the attempt of a session: it counts like a device, so an attack from elsewhere cannot exhaust it."""
    account, device = browser.signed_in.account, f"session {browser.signed_in.session.id}"
    network = network_of(browser.client.address)
    return attempt_of(account.username, account, network=network, device=device, key=verifier.keys[0])


def _write(account: Account, new_hash: str, stores: Stores, now: int) -> None:
    """Set the password, and end the sessions and the one-time link of the account."""
    stores.accounts.set_password(account.id, new_hash, now=now)
    stores.sessions.end_of_account(account.id)
    stores.links.end_of_account(account.id)


def choose(
    link: Link, *, username: str, typed: Typed, client: Client, stores: Stores, verifier: Verifier, now: int
) -> Account | Problem | Weakness:
    """Choose a password through a link, which is consumed. A set-up link makes the first administrator."""
    if not is_usable(link, now=now):
        return Problem.LINK_SPENT
    account = _account_of(link, username, stores, now)
    if isinstance(account, Problem):
        return account
    key = Key(f"link {link.token_hash.hex()}", is_known=True)
    new_hash = _accepted_hash(account, typed, key, verifier)
    if isinstance(new_hash, Problem | Weakness):
        return new_hash
    try:
        with stores.transaction():
            redeemed = _redeem(link, account, new_hash, stores, now)
            if isinstance(redeemed, Account):
                event = Happened.ACCOUNT_ADDED if link.purpose is Purpose.SET_UP else Happened.PASSWORD_CHANGED
                by = f"{link.purpose.value} link"
                stores.audit.add(Entry(now, event, account.username, client.address, by))
            return redeemed
    except UsernameTaken:
        return Problem.USERNAME_TAKEN


def _redeem(link: Link, account: Account, new_hash: str, stores: Stores, now: int) -> Account | Problem:
    """Consume the link and set the password, in this transaction: of two clicks exactly one succeeds."""
    if link.purpose is Purpose.SET_UP and stores.accounts.has_administrator():
        return Problem.LINK_SPENT
    if not stores.links.consume(link.token_hash):
        return Problem.LINK_SPENT
    if link.purpose is Purpose.SET_UP:
        stores.accounts.add(account)
    stored = stores.accounts.lock_for_update(account.id)
    if stored is None or stored.is_disabled:  # since the password was hashed
        return Problem.LINK_SPENT
    _write(stored, new_hash, stores, now)
    return replace(account, password_changed_at=now)


def _account_of(link: Link, username: str, stores: Stores, now: int) -> Account | Problem:
    if link.purpose is Purpose.SET_UP:
        made = new_account(username, now=now, is_admin=True)
        return Problem.USERNAME_INVALID if isinstance(made, Refusal) else made
    account = stores.accounts.by_id(link.account_id or "")
    return Problem.LINK_SPENT if account is None or account.is_disabled else account


def _accepted_hash(account: Account, typed: Typed, key: Key, verifier: Verifier) -> str | Problem | Weakness:
    """Return the hash of a new password that both fields agree on and the policy accepts."""
    if typed.password != typed.repeat:
        return Problem.UNLIKE
    with verifier.gate.slot(key) as slot:
        if isinstance(slot, Shed):
            return Problem.BUSY
        name, passwords = verifier.service_name, verifier.passwords
        hashed = slot.run(lambda: hash_if_accepted(account, typed.password, passwords, name))
    return Problem.BUSY if isinstance(hashed, Shed) else hashed
