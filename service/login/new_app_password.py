"""Making and ending app passwords: by an operator, or by their owner, who types the account's password again.

A new password of the account ends none of them: they are ended one by one, or with the account.
"""

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from service.login.accounts import Account
from service.login.administration import account_named, locked
from service.login.app_passwords import AppPassword, has_ended, new_app_password
from service.login.attempts import Throttled
from service.login.audit import Entry, Happened
from service.login.new_account import is_one_line
from service.login.new_password import BY_SESSION, Browser, Problem, refusal_of_current
from service.login.refusal import Refusal
from service.login.stores import Stores
from service.login.verify_password import Verifier

MOST: Final = 50  # of an account
LONGEST_NAME: Final = 64
DOUBLE_CLICK_SECONDS: Final = 60


class Reason(StrEnum):
    NAME = f"The name must be one line of 1 to {LONGEST_NAME} characters, none of them a control character."
    NAME_TAKEN = "There is an app password called {!r} already."
    NO_APP = "An app password is for at least one app."
    NOT_TAKEN = "{!r} is not an app that takes app passwords."
    TOO_MANY = f"An account has at most {MOST} app passwords."
    DISABLED = "{} is disabled, so an app password would not work."
    UNKNOWN = "There is no app password {!r} of this account."


@dataclass(frozen=True, slots=True)
class Wanted:
    """An app password that is asked for. It ends after so many `seconds`, or has no end."""

    name: str
    apps: Collection[str]
    seconds: int | None


@dataclass(frozen=True, slots=True)
class NewAppPassword:
    """A new app password. Its text is shown once, to its owner or the operator; only a hash of it is stored."""

    text: str
    password: AppPassword
    account: Account


def make(
    name: str, wanted: Wanted, stores: Stores, *, takers: Collection[str], by: str, now: int
) -> NewAppPassword | Refusal:
    """Make an app password of the account `name`. `takers` are the names of the apps that take app passwords."""
    checked = _checked(wanted, takers)
    if isinstance(checked, Refusal):
        return checked
    with stores.transaction():
        account = locked(name, stores.accounts)
        if isinstance(account, Refusal):
            return account
        if account.is_disabled:
            return Refusal(Reason.DISABLED, account.username)
        return _make(account, checked, stores, Entry(now, Happened.APP_PASSWORD_MADE, by=by))


def make_as_owner(
    browser: Browser,
    wanted: Wanted,
    *,
    current: str,
    takers: Collection[str],
    stores: Stores,
    verifier: Verifier,
    now: int,
) -> NewAppPassword | Refusal | Problem | Throttled:
    """Make an app password of the account that is signed in, whose current password was typed.

    It outlives the session: a browser that was left open, or a stolen session, must not be enough to make one.
    """
    checked = _checked(wanted, takers)
    if isinstance(checked, Refusal):
        return checked
    refused = refusal_of_current(browser, current, stores, verifier, now=now, event=Happened.APP_PASSWORD_REFUSED)
    if refused is not None:
        return refused
    account, session = browser.signed_in.account, browser.signed_in.session
    entry = Entry(now, Happened.APP_PASSWORD_MADE, address=browser.client.address, by=BY_SESSION)
    with stores.transaction():
        stores.accounts.lock_for_update(account.id)
        if stores.sessions.find(session.token_hash) is None:  # ended since, with the password or the account
            return Problem.SIGNED_OUT
        return _make(account, checked, stores, entry, is_form=True)


def _checked(wanted: Wanted, takers: Collection[str]) -> Wanted | Refusal:
    """Return what is wanted in the spelling that is stored."""
    name = unicodedata.normalize("NFC", wanted.name).strip()
    if not name or not is_one_line(name, LONGEST_NAME):
        return Refusal(Reason.NAME)
    if not wanted.apps:
        return Refusal(Reason.NO_APP)
    unknown = next((app for app in wanted.apps if app not in takers), None)
    if unknown is not None:
        return Refusal(Reason.NOT_TAKEN, unknown[:LONGEST_NAME])
    return replace(wanted, name=name, apps=sorted(set(wanted.apps)))


def _make(
    account: Account, wanted: Wanted, stores: Stores, entry: Entry, *, is_form: bool = False
) -> NewAppPassword | Refusal:
    """Store an app password of an account that is locked. Those that have ended make room.

    A form that is sent twice (a double click, a reload) makes one: the browser showed the second answer alone.
    """
    present = []
    for each in stores.app_passwords.of_account(account.id):
        is_first = is_form and each.name == wanted.name and _is_untouched(each, now=entry.at)
        if is_first or has_ended(each, now=entry.at):
            stores.app_passwords.end(account.id, each.id)
        else:
            present.append(each.name)
    if wanted.name in present:
        return Refusal(Reason.NAME_TAKEN, wanted.name)
    if len(present) >= MOST:
        return Refusal(Reason.TOO_MANY)
    ends_at = None if wanted.seconds is None else entry.at + wanted.seconds
    text, password = new_app_password(
        account.id, name=wanted.name, apps=tuple(wanted.apps), ends_at=ends_at, now=entry.at
    )
    stores.app_passwords.add(password)
    detail = f"{password.id} for {', '.join(password.apps)}"
    stores.audit.add(replace(entry, account=account.username, detail=detail))
    return NewAppPassword(text, password, account)


def _is_untouched(password: AppPassword, *, now: int) -> bool:
    return password.seen_at is None and now < password.created_at + DOUBLE_CLICK_SECONDS


def end(name: str, password_id: str, stores: Stores, *, by: str, now: int) -> int | Refusal:
    """End one app password of the account `name`, by its public id; how many ended."""
    with stores.transaction():
        account = account_named(name, stores.accounts)
        if isinstance(account, Refusal):
            return account
        entry = Entry(now, Happened.APP_PASSWORD_ENDED, by=by)
        return 1 if _end(account, password_id, stores, entry) else Refusal(Reason.UNKNOWN, password_id)


def end_all(name: str, stores: Stores, *, by: str, now: int) -> int | Refusal:
    """End every app password of the account `name`; how many ended."""
    with stores.transaction():
        account = account_named(name, stores.accounts)
        if isinstance(account, Refusal):
            return account
        ended = stores.app_passwords.end_of_account(account.id)
        detail = f"app passwords: {ended}"
        stores.audit.add(Entry(now, Happened.APP_PASSWORD_ENDED, account.username, by=by, detail=detail))
        return ended


def end_as_owner(browser: Browser, password_id: str, stores: Stores, *, now: int) -> bool:
    """End one app password of the account that is signed in; whether there was one."""
    entry = Entry(now, Happened.APP_PASSWORD_ENDED, address=browser.client.address, by=BY_SESSION)
    with stores.transaction():
        return _end(browser.signed_in.account, password_id, stores, entry)


def _end(account: Account, password_id: str, stores: Stores, entry: Entry) -> bool:
    if not stores.app_passwords.end(account.id, password_id):
        return False
    stores.audit.add(replace(entry, account=account.username, detail=password_id))
    return True
