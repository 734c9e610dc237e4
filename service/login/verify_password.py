"""The one way to verify a password: a slot at the hashing gate, a reserved attempt, then the hash.

In this order a shed request stores nothing, a throttled one hashes nothing, and of parallel guesses no more are hashed
than the limits allow.
"""

from dataclasses import dataclass

from service.hashing.fair_queue import Key
from service.hashing.gate import HashingGate, Shed
from service.login.attempts import Attempt, Attempts, Scope, Throttled, Throttles
from service.login.passwords import Check, Passwords


@dataclass(frozen=True, slots=True)
class Verifier:
    """What verifies passwords and hashes new ones.

    Of the `keys` the first makes the digests of usernames in attempts, and all verify device cookies. A new password
    may not be made of the `service_name`.
    """

    gate: HashingGate
    passwords: Passwords
    attempts: Attempts
    throttles: Throttles
    keys: tuple[bytes, ...]
    service_name: str


@dataclass(frozen=True, slots=True)
class Verified:
    """A password that was compared, and the limits that its attempt exhausted, when it was wrong."""

    check: Check
    exhausted: tuple[Scope, ...]


def verify_password(
    stored_hash: str | None, password: str, *, attempt: Attempt, verifier: Verifier, now: int
) -> Verified | Throttled | Shed:
    """Verify a password against a stored hash (None: the decoy). A right one releases its attempt."""
    with verifier.gate.slot(queue_key(attempt)) as slot:
        if isinstance(slot, Shed):
            return slot
        reserved = verifier.attempts.reserve(attempt, verifier.throttles, now=now)
        if isinstance(reserved, Throttled):
            return reserved
        check = slot.run(lambda: verifier.passwords.check(stored_hash, password))
    if isinstance(check, Check) and not check.matches:
        return Verified(check, reserved.exhausted)
    verifier.attempts.release(reserved)
    return check if isinstance(check, Shed) else Verified(check, ())


def queue_key(attempt: Attempt) -> Key:
    """Return the key in the fair queue: the account for all its known devices together, else the network."""
    return Key(attempt.account, is_known=True) if attempt.device else Key(attempt.network)
