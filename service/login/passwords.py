"""Passwords: which are accepted (NIST SP 800-63B-4, 3.1.1.2), how they are kept and checked (argon2id).

Passwords are compared in NFC, whole and exactly as typed. A name that nobody has is checked against a
decoy hash, so that the answer takes as long as for a name that somebody has.
"""

import re
import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

MINIMUM_CHARACTERS: Final = 15
MAXIMUM_CHARACTERS: Final = 128
# Below 10**8 guesses zxcvbn calls a password guessable even where guessing is throttled (Wheeler 2016, section 5).
ENOUGH_GUESSES_LOG10: Final = 8
# Enough for a verdict, since more characters only add guesses; the estimate's own cost grows with their cube.
_ESTIMATED_CHARACTERS: Final = 24
_SHORTEST_WORD: Final = 3
# What a hash made elsewhere may cost: up to ten times ours, with which other products' defaults come.
MOST_MEMORY_KIB: Final = 128 * 1024
MOST_KIB_PASSES: Final = 512 * 1024
MOST_LANES: Final = 8
# zxcvbn keeps the words of the person who is being judged in a table that all threads share.
_judging: Final = threading.Lock()


class Weakness(StrEnum):
    """Why a new password is refused."""

    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    COMMON = "common"
    PERSONAL = "personal"


WEAKNESS_MESSAGES: Final = {
    Weakness.TOO_SHORT: f"Use at least {MINIMUM_CHARACTERS} characters. A short sentence works well.",
    Weakness.TOO_LONG: f"Use at most {MAXIMUM_CHARACTERS} characters.",
    Weakness.COMMON: "A guesser would soon try that password. Use words that do not belong together.",
    Weakness.PERSONAL: "That password is made of your name, your address or this service's name. Use other words.",
}


@dataclass(frozen=True, slots=True)
class Parameters:
    """The cost of one argon2id hash: memory in KiB, passes, lanes (RFC 9106, 3.1)."""

    memory_kib: int
    iterations: int
    parallelism: int


@dataclass(frozen=True, slots=True)
class Check:
    """What a password proved, and whether its hash was made with other parameters than today's."""

    matches: bool
    outdated: bool = False


def weakness(password: str, *, personal: Iterable[str] = ()) -> Weakness | None:
    """Return why this may not become a password, or None when it may.

    One code point is one character, counted in NFC. `personal` holds words that an attacker would try
    first for this account: its name, e-mail and the service's name.
    """
    password = unicodedata.normalize("NFC", password)
    if len(password) < MINIMUM_CHARACTERS:
        return Weakness.TOO_SHORT
    if len(password) > MAXIMUM_CHARACTERS:
        return Weakness.TOO_LONG
    return _guessable(password, _words(personal))


def _words(texts: Iterable[str]) -> list[str]:
    """Return the texts in lower case, and the words that they are made of: a surname alone is personal, too."""
    whole = [text.lower() for text in texts if text]
    parts = [part for text in whole for part in re.split(r"[\s._@-]+", text) if len(part) >= _SHORTEST_WORD]
    return [*whole, *parts]


def _guessable(password: str, personal: list[str]) -> Weakness | None:
    """Estimate how soon a guesser who knows common passwords and this person would arrive at it."""
    from zxcvbn import zxcvbn  # its word lists take memory that only this rare step needs

    with _judging:
        estimate = zxcvbn(password[:_ESTIMATED_CHARACTERS], user_inputs=personal)
    if estimate["guesses_log10"] >= ENOUGH_GUESSES_LOG10:
        return None
    used = {match.get("dictionary_name") for match in estimate["sequence"]}
    return Weakness.PERSONAL if "user_inputs" in used else Weakness.COMMON


def is_affordable_hash(text: str) -> bool:
    """Whether a hash made elsewhere is argon2 at a cost that a sign-in can pay: no row may stop a worker."""
    try:
        cost = extract_parameters(text)
    except (InvalidHashError, ValueError):
        return False
    return (
        cost.memory_cost <= MOST_MEMORY_KIB
        and cost.memory_cost * cost.time_cost <= MOST_KIB_PASSES
        and cost.parallelism <= MOST_LANES
    )


class Passwords:
    """Hashes and checks with one set of parameters; wraps argon2-cffi."""

    def __init__(self, parameters: Parameters) -> None:
        self._hasher = PasswordHasher(
            memory_cost=parameters.memory_kib, time_cost=parameters.iterations, parallelism=parameters.parallelism
        )
        self._decoy = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """Return the PHC string (argon2id, salt and parameters included) to keep for this password."""
        return self._hasher.hash(unicodedata.normalize("NFC", password))

    def check(self, password_hash: str | None, password: str) -> Check:
        """Compare a password with a kept hash; without one (nobody, shut, not chosen yet) with the decoy.

        What no account can have, nothing or more than the maximum, is refused without hashing, for every
        name alike: length is not a way to make us work.
        """
        password = unicodedata.normalize("NFC", password)
        if not 0 < len(password) <= MAXIMUM_CHARACTERS:
            return Check(matches=False)
        try:
            self._hasher.verify(password_hash or self._decoy, password)
        except (VerificationError, InvalidHashError):
            return Check(matches=False)
        if password_hash is None:
            return Check(matches=False)
        return Check(matches=True, outdated=self._hasher.check_needs_rehash(password_hash))
