"""What a rule of `login` is handed: the stores, the hasher behind its gate, and one transaction around them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from service.login.accounts import Accounts
from service.login.attempts import Attempts, Throttles
from service.login.audit import Audit
from service.login.hashing import HashingGate
from service.login.links import Links
from service.login.passwords import Passwords
from service.login.sessions import Lifetimes, Sessions


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything that a sign-in or a new password reads and writes.

    Calls on the stores inside `transaction()` happen together or not at all; attempts are no part of it. Of the
    `keys` the first signs, all verify. `service_name` is a word that no password may be made of.
    """

    accounts: Accounts
    sessions: Sessions
    links: Links
    attempts: Attempts
    audit: Audit
    passwords: Passwords
    gate: HashingGate
    lifetimes: Lifetimes
    throttles: Throttles
    keys: tuple[bytes, ...]
    transaction: Callable[[], AbstractContextManager[None]]
    service_name: str
