"""What an operator does to accounts, links, sessions and attempts; the command line and a console both call it.

`by` names the operator in the audit trail; an entry is written in the transaction of its change. A change that cannot
be made is a Refusal.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Unpack

from service.login.accounts import Account, Accounts, UsernameTaken, canonical_username
from service.login.attempts import Scope, digest_of
from service.login.audit import Audit, Entry, Happened
from service.login.links import LIFETIME, Purpose, hand_out
from service.login.networks import Network, address_of
from service.login.new_account import Details, with_details
from service.login.refusal import Refusal
from service.login.stores import Stores
from service.login.verify_password import Verifier


class Reason(StrEnum):
    NO_ACCOUNT = "There is no account called {!r}."
    DISABLED = "{} is disabled, so a link would not work."
    HAS_ADMINISTRATOR = "There is an administrator already."
    NO_SESSION = "There is no session {!r}."


@dataclass(frozen=True, slots=True)
class NewLink:
    """A new link. Its token is shown once, to the operator who asked; only a hash of it is stored."""

    token: str
    purpose: Purpose
    account: Account | None
    expires_at: int


@dataclass(frozen=True, slots=True)
class Disabled:
    """An account that was disabled, and how many of its sessions, links and app passwords ended."""

    account: Account
    sessions: int
    links: int
    app_passwords: int


def is_last_administrator(account: Account, accounts: Accounts) -> bool:
    """Whether no administrator is left without this account; then `make_set_up_link` makes the way back."""
    administers = account.is_admin and not account.is_disabled
    return administers and not accounts.has_administrator(besides=account.id)


def account_named(name: str, accounts: Accounts) -> Account | Refusal:
    """Return the account of this name, in any spelling of it."""
    return accounts.by_username(canonical_username(name) or "") or Refusal(Reason.NO_ACCOUNT, name)


def locked(name: str, accounts: Accounts) -> Account | Refusal:
    """Return the account, locked for this transaction; it is read again, since another one may have changed it."""
    found = account_named(name, accounts)
    if isinstance(found, Account):
        accounts.lock_for_update(found.id)
        found = account_named(name, accounts)
    return found


def add(accounts: Sequence[Account], stores: Stores, *, by: str, now: int, detail: str = "") -> list[Account]:
    """Store the accounts whose username is free, in one transaction, and return those."""
    entry = Entry(now, Happened.ACCOUNT_ADDED, by=by, detail=detail)
    with stores.transaction():
        return [account for account in accounts if _added(account, stores, entry)]


def _added(account: Account, stores: Stores, entry: Entry) -> bool:
    if stores.accounts.by_username(account.username) is None:
        with suppress(UsernameTaken):  # another command may have added it since
            stores.accounts.add(account)
            stores.audit.add(replace(entry, account=account.username))
            return True
    return False


def edit(name: str, stores: Stores, *, by: str, now: int, **details: Unpack[Details]) -> Account | Refusal:
    """Change the given details of an account. Of their values the audit trail tells only that of `is_admin`."""
    what = ", ".join(f"{name} {value}" if name == "is_admin" else name for name, value in sorted(details.items()))
    return _change(name, lambda account: with_details(account, **details), stores, what, by=by, now=now)


def disable(name: str, stores: Stores, *, by: str, now: int, offboard: bool = False) -> Disabled | Refusal:
    """Disable an account, and end its sessions, its link and its app passwords, all in one transaction.

    With `offboard` its device cookies end, too; `enable` does not bring them back.
    """

    def change(account: Account) -> Account:
        after = now if offboard else account.device_cookies_after
        return replace(account, disabled_at=now, device_cookies_after=after)

    with stores.transaction():
        account = _change(name, change, stores, "offboarded" if offboard else "disabled", by=by, now=now)
        if isinstance(account, Refusal):
            return account
        ended = (each.end_of_account(account.id) for each in (stores.sessions, stores.links, stores.app_passwords))
        return Disabled(account, *ended)


def enable(name: str, stores: Stores, *, by: str, now: int) -> Account | Refusal:
    """Enable an account, with the password that it had."""
    return _change(name, lambda account: replace(account, disabled_at=None), stores, "enabled", by=by, now=now)


def _change(
    name: str, change: Callable[[Account], Account | Refusal], stores: Stores, what: str, *, by: str, now: int
) -> Account | Refusal:
    with stores.transaction():
        account = locked(name, stores.accounts)
        changed = change(account) if isinstance(account, Account) else account
        if isinstance(changed, Account):
            stores.accounts.replace(changed)
            stores.audit.add(Entry(now, Happened.ACCOUNT_CHANGED, changed.username, by=by, detail=what))
        return changed


def delete(name: str, stores: Stores, *, by: str, now: int) -> Account | Refusal:
    """Delete an account with its sessions, links and app passwords, and return it."""
    with stores.transaction():
        account = locked(name, stores.accounts)
        if isinstance(account, Account):
            stores.accounts.delete(account.id)
            stores.audit.add(Entry(now, Happened.ACCOUNT_REMOVED, account.username, by=by))
        return account


def make_link(name: str, purpose: Purpose, stores: Stores, *, by: str, now: int) -> NewLink | Refusal:
    """Make a link, in place of an earlier one, through which the account's owner chooses a password."""
    with stores.transaction():
        account = locked(name, stores.accounts)
        if isinstance(account, Refusal):
            return account
        if account.is_disabled:
            return Refusal(Reason.DISABLED, account.username)
        return _link(purpose, account, stores, by=by, now=now)


def make_set_up_link(stores: Stores, *, by: str, now: int) -> NewLink | Refusal:
    """Make the link, in place of an earlier one, through which the first administrator is made."""
    with stores.transaction():
        if stores.accounts.has_administrator():
            return Refusal(Reason.HAS_ADMINISTRATOR)
        return _link(Purpose.SET_UP, None, stores, by=by, now=now)


def _link(purpose: Purpose, account: Account | None, stores: Stores, *, by: str, now: int) -> NewLink:
    token = hand_out(purpose, account.id if account else None, links=stores.links, now=now)
    username = account.username if account else ""
    stores.audit.add(Entry(now, Happened.LINK_MADE, username, by=by, detail=purpose.value))
    return NewLink(token, purpose, account, now + LIFETIME[purpose])


def end_session(session_id: str, stores: Stores, *, by: str, now: int) -> int | Refusal:
    """End one session, by its public id; how many ended."""
    with stores.transaction():
        if not stores.sessions.end_by_id(session_id):
            return Refusal(Reason.NO_SESSION, session_id)
        stores.audit.add(Entry(now, Happened.SESSION_ENDED, by=by, detail=session_id))
        return 1


def end_sessions_of(name: str, stores: Stores, *, by: str, now: int) -> int | Refusal:
    """End every session of an account; how many ended."""
    with stores.transaction():
        account = account_named(name, stores.accounts)
        if isinstance(account, Refusal):
            return account
        ended = stores.sessions.end_of_account(account.id)
        stores.audit.add(Entry(now, Happened.SESSION_ENDED, account.username, by=by, detail=f"sessions: {ended}"))
        return ended


def end_all_sessions(stores: Stores, *, by: str, now: int) -> int:
    """End every session; how many ended. That takes a transaction of its own, so the entry is written first."""
    stores.audit.add(Entry(now, Happened.SESSION_ENDED, by=by, detail="every session"))
    return stores.sessions.end_all()


def clear_attempts(of: Account | Network | None, verifier: Verifier, audit: Audit, *, by: str, now: int) -> int:
    """Clear the failed attempts at an account, those from the networks within a network, or all; how many there were.

    Attempts are in no transaction, so the entry is written first.
    """
    attempts = verifier.attempts
    if isinstance(of, Account):
        audit.add(Entry(now, Happened.UNLOCKED, of.username, by=by))
        return attempts.clear(account=digest_of(of.username, verifier.keys[0]))
    if of is None:
        audit.add(Entry(now, Happened.UNLOCKED, by=by, detail="all attempts"))
        return attempts.clear()
    networks = [each.key for each in attempts.tallies(by=Scope.NETWORK, since=0) if _lies_in(of, each.key)]
    audit.add(Entry(now, Happened.UNLOCKED, by=by, detail=str(of)))
    return sum(attempts.clear(network=each) for each in networks)


def _lies_in(network: Network, key: str) -> bool:
    address = address_of(key.partition("/")[0])
    return address is not None and address in network
