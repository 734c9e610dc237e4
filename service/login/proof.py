"""The one way to check a password, at every entrance: a place at the gate, a reserved attempt, then the hash.

In this order a shed request leaves nothing written, a throttled one hashes nothing, and of guesses made at the same
time no more are hashed than the limits allow.
"""

from dataclasses import dataclass

from service.login.attempts import Reserved, Scope, Throttled, Try
from service.login.hashing import Shed
from service.login.line import Seat
from service.login.passwords import Check, Passwords
from service.login.stores import Stores


@dataclass(frozen=True, slots=True)
class Proof:
    """What was checked; the hash that replaces an outdated one; the limits of which this was the last attempt.

    `flaw` says why the stored hash could not be checked.
    """

    matches: bool
    new_hash: str | None = None
    used_up: tuple[Scope, ...] = ()
    flaw: str | None = None


def prove(kept: str | None, password: str, *, trying: Try, stores: Stores, now: int) -> Proof | Throttled | Shed:
    """Check a password against a kept hash (None: the decoy). A right one gives its attempt back."""
    with stores.gate.place(seat_of(trying)) as place:
        if isinstance(place, Shed):
            return place
        reserved = stores.attempts.reserve(trying, stores.throttles, now=now)
        if isinstance(reserved, Throttled):
            return reserved
        checked = place.run(lambda: _checked(stores.passwords, kept, password))
    if isinstance(checked, Shed):
        stores.attempts.release(reserved)
        return checked
    return _proof(checked, reserved, stores)


def _proof(checked: tuple[Check, str | None], reserved: Reserved, stores: Stores) -> Proof:
    check, new_hash = checked
    if not check.matches:
        return Proof(matches=False, used_up=reserved.used_up, flaw=check.flaw)
    stores.attempts.release(reserved)
    return Proof(matches=True, new_hash=new_hash)


def seat_of(trying: Try) -> Seat:
    """Return in whose name somebody waits at the gate: all known devices of an account in one."""
    return Seat(trying.account, is_known=True) if trying.device else Seat(trying.network)


def _checked(passwords: Passwords, kept: str | None, password: str) -> tuple[Check, str | None]:
    check = passwords.check(kept, password)
    return check, passwords.hash(password) if check.matches and check.outdated else None
