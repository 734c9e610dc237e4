"""A new password: changed by its owner, or chosen through a one-time link.

Every way to a new password ends all of the account's sessions, so that whoever knew the old one is out.
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
from service.login.passwords import Passwords, Weakness, weakness
from service.login.refusal import Refusal
from service.login.sessions import Session
from service.login.sign_in import Client, Opened, new_session, open_session
from service.login.stores import Stores
from service.login.verify_password import queue_key, verify_password

BY_SESSION = "session"


class Problem(StrEnum):
    """Why there is no new password, besides its weakness."""

    WRONG_CURRENT = "wrong-current"
    UNLIKE = "unlike"
    USERNAME_INVALID = "username-invalid"
    USERNAME_TAKEN = "username-taken"
    LINK_SPENT = "link-spent"
    SIGNED_OUT = "signed-out"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Typed:
    """A new password as it was typed, twice."""

    password: str
    repeat: str


@dataclass(frozen=True, slots=True)
class Browser:
    """The browser that changes a password: its session so far, and where it comes from."""

    session: Session
    client: Client


def change(
    account: Account, *, current: str, typed: Typed, browser: Browser, stores: Stores, now: int
) -> Opened | Problem | Weakness | Throttled:
    """Change a password that its owner knows; every session ends, and this browser goes on with a new one."""
    wrong = _not_proved(account, current, browser, stores, now)
    if wrong is not None:
        return wrong
    new_hash = _accepted_hash(account, typed, queue_key(_trying(account, browser, stores)), stores)
    if isinstance(new_hash, Problem | Weakness):
        return new_hash
    renewed, remembered = replace(account, password_changed_at=now), browser.session.remembered
    opened = new_session(renewed, client=browser.client, remembered=remembered, keys=stores.keys, now=now)
    with stores.transaction():
        kept = stores.accounts.lock_for_update(account.id)
        if kept is None or kept.is_disabled:
            return Problem.WRONG_CURRENT
        if kept.password_hash == account.password_hash:
            # Whoever signed out or was ended while we hashed must not find themselves signed in again.
            if stores.sessions.find(browser.session.token_hash) is None:
                return Problem.SIGNED_OUT
            _write(kept, new_hash, stores, now)
            stores.sessions.add(opened.session)
            stores.audit.add(_changed(kept, browser.client, by=BY_SESSION, now=now))
            return opened
    return _changed_meanwhile(kept, typed, browser, stores, now)


def _changed_meanwhile(
    kept: Account, typed: Typed, browser: Browser, stores: Stores, now: int
) -> Opened | Problem | Throttled:
    """Judge a change that came second. The new password being right already, it was the second of two clicks.

    Then the browser dropped the first answer, session included, and waits for this one.
    """
    wrong = _not_proved(kept, typed.password, browser, stores, now)
    if wrong is not None:
        return wrong
    remembered = browser.session.remembered
    opened = open_session(kept, client=browser.client, remembered=remembered, replaces=None, stores=stores, now=now)
    return opened if isinstance(opened, Opened) else Problem.WRONG_CURRENT


def _not_proved(
    account: Account, password: str, browser: Browser, stores: Stores, now: int
) -> Problem | Throttled | None:
    """Return why a password does not prove the owner; None when it does. A stolen session guesses no more."""
    who = _trying(account, browser, stores)
    proof = verify_password(account.password_hash, password, attempt=who, stores=stores, now=now)
    if isinstance(proof, Throttled):
        return proof
    if isinstance(proof, Shed):
        return Problem.BUSY
    if proof.matches:
        return None
    event, address = Happened.PASSWORD_CHANGE_REFUSED, browser.client.address
    said = Entry(now, event, account.username, address, BY_SESSION, Problem.WRONG_CURRENT)
    stores.audit.note(*refusal_entries(said, proof.exhausted))
    return Problem.WRONG_CURRENT


def _trying(account: Account, browser: Browser, stores: Stores) -> Attempt:
    """Return who guesses: a session, with an allowance of its own, which an attack from elsewhere cannot use up."""
    device, network = f"session {browser.session.id}", network_of(browser.client.address)
    return attempt_of(account.username, account, network=network, device=device, key=stores.keys[0])


def _changed(account: Account, client: Client, *, by: str, now: int) -> Entry:
    return Entry(now, Happened.PASSWORD_CHANGED, account.username, client.address, by)


def _write(account: Account, new_hash: str, stores: Stores, now: int) -> None:
    """Set the password, and shut every other way in: sessions of the old one, and a link that is still about."""
    stores.accounts.set_password(account.id, new_hash, now=now)
    stores.sessions.end_of_account(account.id)
    stores.links.end_of_account(account.id)


def choose(
    link: Link, *, username: str, typed: Typed, client: Client, stores: Stores, now: int
) -> Account | Problem | Weakness:
    """Choose a password through a link, which is used up by it. A set-up link makes the first administrator."""
    if not is_usable(link, now=now):
        return Problem.LINK_SPENT
    account = _new_administrator(username, now) if link.purpose is Purpose.SET_UP else _owner(link, stores)
    if isinstance(account, Problem):
        return account
    new_hash = _accepted_hash(account, typed, Key(f"link {link.token_hash.hex()}", is_known=True), stores)
    if isinstance(new_hash, Problem | Weakness):
        return new_hash
    try:
        with stores.transaction():
            redeemed = _redeem(link, account, new_hash, stores, now)
            if isinstance(redeemed, Account):
                stores.audit.add(_chosen(link, account, client, now))
            return redeemed
    except UsernameTaken:
        return Problem.USERNAME_TAKEN


def _redeem(link: Link, account: Account, new_hash: str, stores: Stores, now: int) -> Account | Problem:
    """Use the link up and write what it promised, in one transaction: of two clicks exactly one succeeds."""
    if link.purpose is Purpose.SET_UP and stores.accounts.has_administrator():
        return Problem.LINK_SPENT
    if not stores.links.consume(link.token_hash):
        return Problem.LINK_SPENT
    if link.purpose is Purpose.SET_UP:
        stores.accounts.add(account)
    kept = stores.accounts.lock_for_update(account.id)
    if kept is None or kept.is_disabled:  # shut while we hashed
        return Problem.LINK_SPENT
    _write(kept, new_hash, stores, now)
    return replace(account, password_changed_at=now)


def _chosen(link: Link, account: Account, client: Client, now: int) -> Entry:
    entry = _changed(account, client, by=f"{link.purpose.value} link", now=now)
    return replace(entry, event=Happened.ACCOUNT_ADDED) if link.purpose is Purpose.SET_UP else entry


def _new_administrator(username: str, now: int) -> Account | Problem:
    account = new_account(username, now=now, is_admin=True)
    return Problem.USERNAME_INVALID if isinstance(account, Refusal) else account


def _owner(link: Link, stores: Stores) -> Account | Problem:
    account = stores.accounts.by_id(link.account_id or "")
    return Problem.LINK_SPENT if account is None or account.is_disabled else account


def _accepted_hash(account: Account, typed: Typed, key: Key, stores: Stores) -> str | Problem | Weakness:
    """Return the hash of a password that both fields agree on and the policy accepts."""
    if typed.password != typed.repeat:
        return Problem.UNLIKE
    with stores.gate.slot(key) as slot:
        if isinstance(slot, Shed):
            return Problem.BUSY
        hashed = slot.run(lambda: judged_hash(account, typed.password, stores.passwords, stores.service_name))
    return Problem.BUSY if isinstance(hashed, Shed) else hashed


def judged_hash(account: Account, password: str, passwords: Passwords, service_name: str) -> str | Weakness:
    """Return the hash of a password that the policy accepts; whoever sets a password, this is the way.

    Pages do both in one turn at the gate: judging takes processor time that others need, too.
    """
    weak = weakness(password, personal=_personal_words(account, service_name))
    return weak or passwords.hash(password)


def _personal_words(account: Account, service_name: str) -> tuple[str, ...]:
    """Return what an attacker would try first for this account."""
    return (account.username, account.display_name, account.email, service_name)
