"""The one way to check a password, at every entrance: a place at the gate, a reserved attempt, then the hash.

In this order a shed request leaves nothing written, a throttled one hashes nothing, and of guesses made at the same
time no more are hashed than the limits allow.
"""

from dataclasses import dataclass

from service.hashing.fair_queue import Key
from service.hashing.gate import Shed
from service.login.attempts import Attempt, Reserved, Scope, Throttled
from service.login.passwords import Check, Passwords
from service.login.stores import Stores


@dataclass(frozen=True, slots=True)
class Verified:
    """What was checked; the hash that replaces an outdated one; the limits of which this was the last attempt.

    `flaw` says why the stored hash could not be checked.
    """

    matches: bool
    new_hash: str | None = None
    exhausted: tuple[Scope, ...] = ()
    flaw: str | None = None


def verify_password(
    stored_hash: str | None, password: str, *, attempt: Attempt, stores: Stores, now: int
) -> Verified | Throttled | Shed:
    """Check a password against a kept hash (None: the decoy). A right one gives its attempt back."""
    with stores.gate.slot(queue_key(attempt)) as slot:
        if isinstance(slot, Shed):
            return slot
        reserved = stores.attempts.reserve(attempt, stores.throttles, now=now)
        if isinstance(reserved, Throttled):
            return reserved
        checked = slot.run(lambda: _checked(stores.passwords, stored_hash, password))
    if isinstance(checked, Shed):
        stores.attempts.release(reserved)
        return checked
    return _verified(checked, reserved, stores)


def _verified(checked: tuple[Check, str | None], reserved: Reserved, stores: Stores) -> Verified:
    check, new_hash = checked
    if not check.matches:
        return Verified(matches=False, exhausted=reserved.exhausted, flaw=check.flaw)
    stores.attempts.release(reserved)
    return Verified(matches=True, new_hash=new_hash)


def queue_key(attempt: Attempt) -> Key:
    """Return in whose name somebody waits at the gate: all known devices of an account in one."""
    return Key(attempt.account, is_known=True) if attempt.device else Key(attempt.network)


def _checked(passwords: Passwords, stored_hash: str | None, password: str) -> tuple[Check, str | None]:
    check = passwords.check(stored_hash, password)
    return check, passwords.hash(password) if check.matches and check.outdated else None
