"""What a rule of `login` is handed: the stores, the hasher behind its gate, and one transaction around them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from service.hashing.gate import HashingGate
from service.login.accounts import Accounts
from service.login.attempts import Attempts, Throttles
from service.login.audit import Audit
from service.login.links import Links
from service.login.passwords import Passwords
from service.login.sessions import Lifetimes, Sessions


@dataclass(frozen=True, slots=True)
class AccountStores:
    """Accounts, what hangs on them, and the audit trail: all that an operator's change reads and writes.

    Calls on these stores inside `transaction()` happen together or not at all.
    """

    accounts: Accounts
    sessions: Sessions
    links: Links
    audit: Audit
    transaction: Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Stores(AccountStores):
    """Everything that a sign-in or a new password reads and writes; attempts are no part of a transaction.

    Of the `keys` the first signs, all verify. `service_name` is a word that no password may be made of.
    """

    attempts: Attempts
    passwords: Passwords
    gate: HashingGate
    lifetimes: Lifetimes
    throttles: Throttles
    keys: tuple[bytes, ...]
    service_name: str
