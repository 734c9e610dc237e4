"""Which account a program is that sends an app password to an app, in the header `Authorization`.

Accepted are Basic, with the owner's username (RFC 7617), and Bearer (RFC 6750). A header without an app password is
the app's own. One that holds an app password in any other way is wrong, and never an app's: the app would learn it.

Only failures count, by network alone, apart from those of passwords, and after the look-up: a right app password
always passes, so a program with an old one locks no other client out. Guessing gains nothing: there are 2^256.
"""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from service.access.apps import App
from service.login.accounts import Account, canonical_username
from service.login.app_passwords import FORM, Owned, has_ended, seen_is_due
from service.login.attempts import Attempts, Limit, Scope, Throttled, attempt_of_program
from service.login.audit import Entry, Happened
from service.login.networks import network_of
from service.login.sessions import hash_of
from service.login.stores import Stores

_APP_PASSWORD: Final = re.compile(FORM, re.ASCII)
_HELD: Final = re.compile(rf"(?<![A-Za-z0-9_-]){FORM}(?![A-Za-z0-9_-])", re.ASCII)
_BY: Final = "app password"


def takers(apps: Iterable[App], account: Account) -> dict[str, str]:
    """Return the apps that an account may use with an app password: their titles by their names.

    A rule with `fresh` admits no program, which typed no password.
    """
    return {
        app.name: app.title
        for app in apps
        if app.app_passwords
        and any(rule.admits(account) and rule.fresh is None and not rule.report_only for rule in app.rules)
    }


@dataclass(frozen=True, slots=True)
class NotOurs:
    """The header holds no app password: it is the app's own."""


@dataclass(frozen=True, slots=True)
class Known:
    """The account that the app password belongs to, and the app password's public id."""

    account: Account
    password_id: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """The app password is not one, has ended, or is for another app or username; or its account is disabled."""


@dataclass(frozen=True, slots=True)
class _Claimed:
    """What the header holds. Without a `password` it holds an app password where none belongs."""

    password: str | None
    username: str | None = None


def identify(
    authorization: str,
    app_name: str,
    *,
    address: str,
    stores: Stores,
    attempts: Attempts,
    limit: Limit,
    now: int,
    counts: bool = True,
) -> NotOurs | Known | Wrong | Throttled:
    """Return whom an `Authorization` header says the client is, for one app. `address` is the client's.

    Without `counts` nothing stays counted: nginx asks twice about a request that is refused.
    """
    claimed = _claimed(authorization)
    if claimed is None:
        return NotOurs()
    found = None if claimed.password is None else stores.app_passwords.find(hash_of(claimed.password))
    if found is None or not _opens(found, app_name, claimed.username, now):
        return _refuse(address, stores, attempts, limit, now, counts=counts)
    if seen_is_due(found.password, now=now):
        stores.app_passwords.touch(found.password.token_hash, now=now)
    return Known(found.account, found.password.id)


def holds_app_password(authorization: str) -> bool:
    """Whether a header holds text of an app password's form, wherever it stands: no app may learn it."""
    return _claimed(authorization) is not None


def _opens(found: Owned, app_name: str, username: str | None, now: int) -> bool:
    password, account = found.password, found.account
    is_theirs = username is None or canonical_username(username) == account.username
    return is_theirs and app_name in password.apps and not (account.is_disabled or has_ended(password, now=now))


def _refuse(
    address: str, stores: Stores, attempts: Attempts, limit: Limit, now: int, *, counts: bool
) -> Wrong | Throttled:
    """Count a failure. A program with an old app password fails often: only reaching the limit makes an entry."""
    scope = Scope.APP_PASSWORD_NETWORK
    reserved = attempts.reserve(attempt_of_program(network_of(address)), {scope: limit}, now=now)
    if isinstance(reserved, Throttled):
        return reserved
    if not counts:
        attempts.release(reserved)
    elif reserved.exhausted:
        event = Happened.LIMIT_EXHAUSTED
        stores.audit.note(Entry(now, event, "", address, _BY, "throttled", detail=scope))
    return Wrong()


def _claimed(authorization: str) -> _Claimed | None:
    scheme, _, value = authorization.partition(" ")
    scheme, value = scheme.lower(), value.strip(" ")
    decoded = _decoded(value) if scheme == "basic" else ""
    username, _, password = decoded.partition(":")
    if _APP_PASSWORD.fullmatch(password):
        return _Claimed(password, username)
    if scheme == "bearer" and _APP_PASSWORD.fullmatch(value):
        return _Claimed(value)
    return _Claimed(None) if _HELD.search(authorization) or _HELD.search(decoded) else None


def _decoded(value: str) -> str:
    """Return the text of Basic credentials, padded or not; empty when there is none."""
    try:
        return b64decode(value + "=" * (-len(value) % 4), validate=True).decode("utf-8", "replace")
    except (Error, ValueError):
        return ""
