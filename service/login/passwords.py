"""Passwords: which are accepted (NIST SP 800-63B-4, 3.1.1.2), how they are kept and checked (argon2id).

Passwords are compared in NFC, whole and exactly as typed. An unknown username is checked against a
decoy hash, so that the answer takes as long as for a known one.
"""

import re
import threading
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import prod
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from service.login.stored_hash import Limits, hash_flaw

MINIMUM_CHARACTERS: Final = 15
MAXIMUM_CHARACTERS: Final = 128
# No character is more than four in its longest canonical spelling (UAX 15, 12.3). Text beyond it is refused before it
# is normalised: the time of that grows with the square of a run of combining marks.
_MOST_TYPED: Final = 4 * MAXIMUM_CHARACTERS
# Below 10**8 guesses zxcvbn calls a password guessable even where guessing is throttled (Wheeler 2016, section 5).
ENOUGH_GUESSES_LOG10: Final = 8
# Enough for a verdict, since more characters only add guesses; the estimate's own cost grows with their cube.
_ESTIMATED_CHARACTERS: Final = 24
# zxcvbn tries every combination of letters that substituted characters (@ for a, 1 for i or l) may stand for.
_MOST_COMBINATIONS: Final = 2
_PRIVATE_USE: Final = 0xE000
_SHORTEST_WORD: Final = 3
# zxcvbn keeps the words of the person whose password is judged in a table that all threads share.
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
    """What a password proved, and whether its hash was made with other parameters than today's.

    `flaw` says why the stored hash was not verified at all.
    """

    matches: bool
    outdated: bool = False
    flaw: str | None = None


def weakness(password: str, *, personal: Iterable[str] = ()) -> Weakness | None:
    """Return why this may not become a password, or None when it may.

    One code point is one character, counted in NFC. `personal` holds words that an attacker would try
    first for this account: its name, e-mail and the service's name.
    """
    if len(password) > _MOST_TYPED:
        return Weakness.TOO_LONG
    password = unicodedata.normalize("NFC", password)
    if len(password) < MINIMUM_CHARACTERS:
        return Weakness.TOO_SHORT
    if len(password) > MAXIMUM_CHARACTERS:
        return Weakness.TOO_LONG
    return _guessable(password, _words(personal))


def is_possible(password: str) -> bool:
    """Whether an account can have this password: it has a length, and in NFC not more than the maximum."""
    return 0 < len(password) <= _MOST_TYPED and len(unicodedata.normalize("NFC", password)) <= MAXIMUM_CHARACTERS


def _words(texts: Iterable[str]) -> list[str]:
    """Return the texts in lower case, and the words that they are made of: a surname alone is personal, too."""
    whole = [text.lower() for text in texts if text]
    parts = [part for text in whole for part in re.split(r"[\s._@+'-]+", text) if len(part) >= _SHORTEST_WORD]
    return [*whole, *parts]


def _guessable(password: str, personal: list[str]) -> Weakness | None:
    """Estimate how soon a guesser who knows common passwords and this person would arrive at it."""
    from zxcvbn.matching import RANKED_DICTIONARIES, build_ranked_dict  # they take memory that only this step needs
    from zxcvbn.scoring import most_guessable_match_sequence

    beginning = password[:_ESTIMATED_CHARACTERS]
    with _judging:
        RANKED_DICTIONARIES["user_inputs"] = build_ranked_dict(personal)
        estimate = most_guessable_match_sequence(beginning, _matches(beginning))
    if estimate["guesses_log10"] >= ENOUGH_GUESSES_LOG10:
        return None
    used = {match.get("dictionary_name") for match in estimate["sequence"]}
    return Weakness.PERSONAL if "user_inputs" in used else Weakness.COMMON


def _matches(text: str) -> list[Any]:
    """Return what `zxcvbn` itself would find, but for a bound on the combinations of substituted characters."""
    from zxcvbn import matching as find

    few = _with_few_substitutes(text, find.L33T_TABLE)
    return [
        *find.dictionary_match(text),
        *find.reverse_dictionary_match(text),
        *find.spatial_match(text),
        *find.sequence_match(text),
        *find.regex_match(text),
        *find.date_match(text),
        *find.l33t_match(few),
        *find.repeat_match(few),
    ]


def _with_few_substitutes(text: str, table: Mapping[str, Sequence[str]]) -> str:
    """Return the text with few different substituted characters; each that comes later is a symbol without meaning."""

    def combinations(characters: str) -> int:
        return prod(max(1, sum(each in characters for each in substitutes)) for substitutes in table.values())

    kept = ""
    for each in dict.fromkeys(text):
        kept += each if combinations(kept + each) <= _MOST_COMBINATIONS else ""
    return "".join(each if each in kept else chr(_PRIVATE_USE + ord(each)) for each in text)


class Passwords:
    """Hashes and checks with one set of parameters; wraps argon2-cffi."""

    def __init__(self, parameters: Parameters) -> None:
        self._hasher = PasswordHasher(
            memory_cost=parameters.memory_kib, time_cost=parameters.iterations, parallelism=parameters.parallelism
        )
        self._decoy = self._hasher.hash("nobody has this password")
        usual = Limits()
        self._limits = Limits(
            memory_kib=max(usual.memory_kib, parameters.memory_kib),
            kib_passes=max(usual.kib_passes, parameters.memory_kib * parameters.iterations),
            lanes=max(usual.lanes, parameters.parallelism),
        )

    def hash(self, password: str) -> str:
        """Return the PHC string (argon2id, salt and parameters included) to keep for this password."""
        return self._hasher.hash(unicodedata.normalize("NFC", password))

    def check(self, stored_hash: str | None, password: str) -> Check:
        """Compare a password with a stored hash; without one that can be checked, with the decoy.

        There is none for an unknown username, a disabled account, or one that has no password yet. A stored hash that
        cannot be read or costs too much is never verified. A password that no account can have is refused without
        hashing, for every username alike: length is not a way to make the service work.
        """
        if not is_possible(password):
            return Check(matches=False)
        flaw = None if stored_hash is None else hash_flaw(stored_hash, self._limits)
        verified = None if flaw else stored_hash
        try:
            self._hasher.verify(verified or self._decoy, unicodedata.normalize("NFC", password))
        except VerificationError:
            return Check(matches=False, flaw=flaw)
        if verified is None:
            return Check(matches=False, flaw=flaw)
        return Check(matches=True, outdated=self._hasher.check_needs_rehash(verified))
