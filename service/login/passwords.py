"""Passwords: stored as argon2id hashes (RFC 9106), and verified.

Passwords are compared in NFC, whole and exactly as typed. Where there is no hash, such as for a username without an
account, a decoy hash is verified, so that the answer takes as long.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from service.login.stored_hash import Limits, hash_flaw

MAXIMUM_CHARACTERS: Final = 128
# No character is more than four in its longest canonical spelling (UAX 15, 12.3). Longer text is refused before it is
# normalised: the time that normalising takes grows with the square of a run of combining marks.
LONGEST_TYPED: Final = 4 * MAXIMUM_CHARACTERS
DECOY: Final = "decoy"


@dataclass(frozen=True, slots=True)
class Parameters:
    """The cost of one argon2id hash: memory in KiB, passes, lanes (RFC 9106, 3.1)."""

    memory_kib: int
    iterations: int
    parallelism: int


@dataclass(frozen=True, slots=True)
class Check:
    """Whether a password is right, and the hash that replaces a stored one with other parameters than today's.

    `flaw` says why the stored hash was not verified at all.
    """

    matches: bool
    new_hash: str | None = None
    flaw: str | None = None


class Passwords:
    """Hashes and verifies passwords with one set of parameters; wraps argon2-cffi."""

    def __init__(self, parameters: Parameters) -> None:
        self._hasher = PasswordHasher(
            memory_cost=parameters.memory_kib, time_cost=parameters.iterations, parallelism=parameters.parallelism
        )
        self._decoy = self._hasher.hash(DECOY)
        usual = Limits()
        self._limits = Limits(
            memory_kib=max(usual.memory_kib, parameters.memory_kib),
            kib_passes=max(usual.kib_passes, parameters.memory_kib * parameters.iterations),
            lanes=max(usual.lanes, parameters.parallelism),
        )

    def hash(self, password: str) -> str:
        """Return the hash to store: a PHC string with salt and parameters."""
        return self._hasher.hash(unicodedata.normalize("NFC", password))

    def check(self, stored_hash: str | None, password: str) -> Check:
        """Compare a password with a stored hash, or with the decoy when that is None, unreadable or too costly.

        A password that no account can have is refused without hashing, whatever the username: a long one costs nothing.
        """
        if not _is_possible(password):
            return Check(matches=False)
        flaw = None if stored_hash is None else hash_flaw(stored_hash, self._limits)
        verified = None if flaw else stored_hash
        try:
            self._hasher.verify(verified or self._decoy, unicodedata.normalize("NFC", password))
        except VerificationError:
            return Check(matches=False, flaw=flaw)
        if verified is None:
            return Check(matches=False, flaw=flaw)
        return Check(matches=True, new_hash=self.hash(password) if self._hasher.check_needs_rehash(verified) else None)


def _is_possible(password: str) -> bool:
    return 0 < len(password) <= LONGEST_TYPED and len(unicodedata.normalize("NFC", password)) <= MAXIMUM_CHARACTERS
