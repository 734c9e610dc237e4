"""A new password: changed by its owner, or chosen through a one-time link.

Every way to a new password ends all of the account's sessions, so that whoever knew the old one is out.
"""

import uuid
from dataclasses import dataclass
from enum import StrEnum

from service.login.accounts import Account, UsernameTaken, canonical_username
from service.login.hashing import Shed
from service.login.links import Link, Purpose, is_usable
from service.login.passwords import Weakness, weakness
from service.login.sessions import Session
from service.login.sign_in import Client, Opened, new_session, open_session
from service.login.stores import Stores


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
) -> Opened | Problem | Weakness:
    """Change a password that its owner knows; every session ends, and this browser goes on with a new one."""
    matches = _opens(account, current, stores)
    if matches is not True:
        return matches or Problem.WRONG_CURRENT
    new_hash = _accepted_hash(account, typed, stores)
    if isinstance(new_hash, Problem | Weakness):
        return new_hash
    remembered = browser.session.remembered
    opened = new_session(account, client=browser.client, remembered=remembered, now=now)
    with stores.transaction():
        kept = stores.accounts.hold(account.id)
        if kept is None or kept.is_disabled:
            return Problem.WRONG_CURRENT
        if kept.password_hash == account.password_hash:
            # Whoever signed out or was ended while we hashed must not find themselves signed in again.
            if stores.sessions.find(browser.session.token_hash) is None:
                return Problem.SIGNED_OUT
            _write(kept, new_hash, stores, now)
            stores.sessions.add(opened.session)
            return opened
    return _changed_meanwhile(kept, typed, browser, stores, now)


def _changed_meanwhile(kept: Account, typed: Typed, browser: Browser, stores: Stores, now: int) -> Opened | Problem:
    """Judge a change that came second. The new password being right already, it was the second of two clicks.

    Then the browser dropped the first answer, session included, and waits for this one.
    """
    matches = _opens(kept, typed.password, stores)
    if matches is not True:
        return matches or Problem.WRONG_CURRENT
    remembered = browser.session.remembered
    opened = open_session(kept, client=browser.client, remembered=remembered, replaces=None, stores=stores, now=now)
    return opened if isinstance(opened, Opened) else Problem.WRONG_CURRENT


def _opens(account: Account, password: str, stores: Stores) -> bool | Problem:
    check = stores.gate.run(lambda: stores.passwords.check(account.password_hash, password))
    return Problem.BUSY if isinstance(check, Shed) else check.matches


def _write(account: Account, new_hash: str, stores: Stores, now: int) -> None:
    """Set the password, and shut every other way in: sessions of the old one, and a link that is still about."""
    stores.accounts.set_password(account.id, new_hash, now=now)
    stores.sessions.end_of_account(account.id)
    stores.links.end_of_account(account.id)


def choose(link: Link, *, username: str, typed: Typed, stores: Stores, now: int) -> Account | Problem | Weakness:
    """Choose a password through a link, which is used up by it. A set-up link makes the first administrator."""
    if not is_usable(link, now=now):
        return Problem.LINK_SPENT
    account = _new_administrator(username, now) if link.purpose is Purpose.SET_UP else _owner(link, stores)
    if isinstance(account, Problem):
        return account
    new_hash = _accepted_hash(account, typed, stores)
    if isinstance(new_hash, Problem | Weakness):
        return new_hash
    try:
        with stores.transaction():
            return _redeem(link, account, new_hash, stores, now)
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
    kept = stores.accounts.hold(account.id)
    if kept is None or kept.is_disabled:  # shut while we hashed
        return Problem.LINK_SPENT
    _write(kept, new_hash, stores, now)
    return account


def _new_administrator(username: str, now: int) -> Account | Problem:
    name = canonical_username(username)
    if name is None:
        return Problem.USERNAME_INVALID
    return Account(id=uuid.uuid4().hex, username=name, created_at=now, is_admin=True)


def _owner(link: Link, stores: Stores) -> Account | Problem:
    account = stores.accounts.by_id(link.account_id or "")
    return Problem.LINK_SPENT if account is None or account.is_disabled else account


def _accepted_hash(account: Account, typed: Typed, stores: Stores) -> str | Problem | Weakness:
    """Return the hash of a password that both fields agree on and the policy accepts."""
    if typed.password != typed.repeat:
        return Problem.UNLIKE
    hashed = stores.gate.run(lambda: _judged_hash(account, typed.password, stores))
    return Problem.BUSY if isinstance(hashed, Shed) else hashed


def _judged_hash(account: Account, password: str, stores: Stores) -> str | Weakness:
    """Judge and hash in one turn at the gate: judging takes processor time that others need, too."""
    weak = weakness(password, personal=personal_words(account, stores.service_name))
    return weak or stores.passwords.hash(password)


def personal_words(account: Account, service_name: str) -> tuple[str, ...]:
    """Return what an attacker would try first for this account."""
    return (account.username, account.display_name, account.email, service_name)
