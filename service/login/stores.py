"""The stores that the rules of `login` read and write, with the transaction around them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from service.login.accounts import Accounts
from service.login.app_passwords import AppPasswords
from service.login.audit import Audit
from service.login.links import Links
from service.login.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Stores:
    """Accounts with their sessions, links and app passwords, and the audit trail.

    Calls on these stores inside `transaction()` take effect together or not at all.
    """

    accounts: Accounts
    sessions: Sessions
    links: Links
    app_passwords: AppPasswords
    audit: Audit
    transaction: Callable[[], AbstractContextManager[object]]
