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
from service.login.sign_in import Client, Opened, new_session
from service.login.stores import Stores


class Problem(StrEnum):
    """Why there is no new password, besides its weakness."""

    WRONG_CURRENT = "wrong-current"
    UNLIKE = "unlike"
    USERNAME_INVALID = "username-invalid"
    USERNAME_TAKEN = "username-taken"
    LINK_SPENT = "link-spent"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Typed:
    """A new password as it was typed, twice."""

    password: str
    repeat: str


def change(
    account: Account, *, current: str, typed: Typed, client: Client, remembered: bool, stores: Stores, now: int
) -> Opened | Problem | Weakness:
    """Change a password that its owner knows; every session ends, and this browser goes on with a new one."""
    check = stores.gate.run(lambda: stores.passwords.check(account.password_hash, current))
    if isinstance(check, Shed):
        return Problem.BUSY
    if not check.matches:
        return Problem.WRONG_CURRENT
    new_hash = _accepted_hash(account, typed, stores)
    if isinstance(new_hash, Problem | Weakness):
        return new_hash
    opened = new_session(account, client=client, remembered=remembered, now=now)
    with stores.transaction():
        kept = stores.accounts.hold(account.id)
        if kept is None or kept.is_disabled:
            return Problem.WRONG_CURRENT
        if kept.password_hash == account.password_hash:
            stores.accounts.set_password(account.id, new_hash, now=now)
            stores.sessions.end_of_account(account.id)
            stores.sessions.add(opened.session)
            return opened
    # Changed while we hashed. If the new password opens it now, that was the first of two clicks: the browser dropped
    # its answer, session included, and waits for this one.
    current = typed.password
    return change(kept, current=current, typed=typed, client=client, remembered=remembered, stores=stores, now=now)


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
    stores.accounts.set_password(account.id, new_hash, now=now)
    stores.sessions.end_of_account(account.id)
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
    weak = weakness(typed.password, personal=personal_words(account, stores.service_name))
    if weak:
        return weak
    hashed = stores.gate.run(lambda: stores.passwords.hash(typed.password))
    return Problem.BUSY if isinstance(hashed, Shed) else hashed


def personal_words(account: Account, service_name: str) -> tuple[str, ...]:
    """Return what an attacker would try first for this account."""
    return (account.username, account.display_name, account.email, account.email.partition("@")[0], service_name)
