"""The stores under test: one suite for all implementations of the ports of `service.login`."""

import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from service.login.accounts import Account, Accounts
from service.login.app_passwords import AppPassword, AppPasswords
from service.login.links import Link, Links, Purpose
from service.login.sessions import Lifetimes, Session, Sessions
from service.storage.accounts import SqlAccounts
from service.storage.app_passwords import SqlAppPasswords
from service.storage.engine.database import Database
from service.storage.links import SqlLinks
from service.storage.sessions import SqlSessions

NOW = 1_800_000_000
LIFETIMES = Lifetimes(idle=100, absolute=1000, remembered_idle=5000, remembered_absolute=9000)
_serial = itertools.count(1)


@dataclass(frozen=True)
class Stores:
    """The ports over one set of rows."""

    accounts: Accounts
    sessions: Sessions
    links: Links
    app_passwords: AppPasswords
    transaction: Callable[[], AbstractContextManager[object]]


def over(database: Database) -> Stores:
    """Return the SQL stores."""
    sql = SqlAccounts(database), SqlSessions(database), SqlLinks(database), SqlAppPasswords(database)
    return Stores(*sql, database.transaction)


def account(username: str = "alice", **facts: Any) -> Account:
    """Return an account with an id of its own."""
    known: dict[str, object] = {"id": f"{next(_serial):032x}", "username": username, "created_at": NOW}
    return Account(**(known | facts))  # type: ignore[arg-type]


def session(account_id: str, **facts: object) -> Session:
    """Return a session with an id and a token hash of its own."""
    serial = next(_serial)
    known: dict[str, object] = {
        "id": f"{serial:012x}",
        "token_hash": serial.to_bytes(32, "big"),
        "account_id": account_id,
        "created_at": NOW,
        "seen_at": NOW,
        "remembered": False,
        "address": "192.0.2.1",
        "user_agent": "a browser",
    }
    return Session(**(known | facts))  # type: ignore[arg-type]


def link(account_id: str | None, **facts: object) -> Link:
    """Return a link with a token hash of its own: an invitation, or a set-up link without an account."""
    known: dict[str, object] = {
        "token_hash": next(_serial).to_bytes(32, "big"),
        "purpose": Purpose.INVITATION if account_id else Purpose.SET_UP,
        "account_id": account_id,
        "expires_at": NOW + 100,
    }
    return Link(**(known | facts))  # type: ignore[arg-type]


def app_password(account_id: str, **facts: object) -> AppPassword:
    """Return an app password with an id and a token hash of its own, never used and without an end."""
    serial = next(_serial)
    known: dict[str, object] = {
        "id": f"{serial:012x}",
        "token_hash": serial.to_bytes(32, "big"),
        "account_id": account_id,
        "name": "phone",
        "apps": ("wiki",),
        "created_at": NOW,
    }
    return AppPassword(**(known | facts))  # type: ignore[arg-type]


def address_of(database: Database) -> str:
    """Return what another process opens."""
    if database.path:
        return f"sqlite:///{database.path}"
    return database.engine.sqlalchemy.url.render_as_string(hide_password=False)


def is_whole(database: Database) -> bool:
    """Whether SQLite finds every page in order (PostgreSQL looks after its own)."""
    if database.path is None:
        return True
    with database.reading() as connection:
        return connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
