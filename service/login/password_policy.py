"""The policy for new passwords (NIST SP 800-63B-4, 3.1.1.2): their length, and how soon one would be guessed."""

import re
import threading
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from math import prod
from typing import Any, Final

from service.login.accounts import Account
from service.login.passwords import LONGEST_TYPED, MAXIMUM_CHARACTERS, Passwords

MINIMUM_CHARACTERS: Final = 15
# Below 10**8 guesses zxcvbn calls a password guessable even where guessing is throttled (Wheeler 2016, section 5).
ENOUGH_GUESSES_LOG10: Final = 8
# More characters only add guesses, and the time of an estimate grows with their cube.
_ESTIMATED_CHARACTERS: Final = 24
# zxcvbn tries every combination of letters that substituted characters (@ for a, 1 for i or l) may stand for.
_MOST_COMBINATIONS: Final = 2
_PRIVATE_USE: Final = 0xE000
_SHORTEST_WORD: Final = 3
# zxcvbn keeps the personal words of the password under estimate in a table that all threads share.
_estimating: Final = threading.Lock()


class Weakness(StrEnum):
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    COMMON = "common"
    PERSONAL = "personal"


WEAKNESS_MESSAGES: Final = {
    Weakness.TOO_SHORT: f"Use at least {MINIMUM_CHARACTERS} characters. A short sentence works well.",
    Weakness.TOO_LONG: f"Use at most {MAXIMUM_CHARACTERS} characters.",
    Weakness.COMMON: "A guesser would soon try that password. Use words that do not belong together.",
    Weakness.PERSONAL: "That password is made of your name, your address or this service's name. Use other words.",
}


def hash_if_accepted(account: Account, password: str, passwords: Passwords, service_name: str) -> str | Weakness:
    """Return the hash of a new password for an account, or why the policy refuses the password.

    Pages do both in one turn at the gate: an estimate takes processor time, too.
    """
    personal = (account.username, account.display_name, account.email, service_name)
    return weakness(password, personal=personal) or passwords.hash(password)


def weakness(password: str, *, personal: Iterable[str] = ()) -> Weakness | None:
    """Return why a new password is refused; None when it is accepted.

    One code point is one character, counted in NFC. `personal` are the words that an attacker would try first for this
    account: its name, its address, the service's name.
    """
    if len(password) > LONGEST_TYPED:
        return Weakness.TOO_LONG
    password = unicodedata.normalize("NFC", password)
    if len(password) < MINIMUM_CHARACTERS:
        return Weakness.TOO_SHORT
    if len(password) > MAXIMUM_CHARACTERS:
        return Weakness.TOO_LONG
    return _guessable(password, _words(personal))


def _words(texts: Iterable[str]) -> list[str]:
    """Return the texts in lower case, and the words in them: a surname alone is personal, too."""
    whole = [text.lower() for text in texts if text]
    parts = [part for text in whole for part in re.split(r"[\s._@+'-]+", text) if len(part) >= _SHORTEST_WORD]
    return [*whole, *parts]


def _guessable(password: str, personal: list[str]) -> Weakness | None:
    """Estimate the guesses of an attacker who knows common passwords and the personal words."""
    from zxcvbn.matching import RANKED_DICTIONARIES, build_ranked_dict  # its tables take memory: only where needed
    from zxcvbn.scoring import most_guessable_match_sequence

    beginning = password[:_ESTIMATED_CHARACTERS]
    with _estimating:
        RANKED_DICTIONARIES["user_inputs"] = build_ranked_dict(personal)
        estimate = most_guessable_match_sequence(beginning, _matches(beginning))
    if estimate["guesses_log10"] >= ENOUGH_GUESSES_LOG10:
        return None
    used = {match.get("dictionary_name") for match in estimate["sequence"]}
    return Weakness.PERSONAL if "user_inputs" in used else Weakness.COMMON


def _matches(text: str) -> list[Any]:
    """Return the matches of `zxcvbn`, with a bound on the combinations of substituted characters."""
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
    """Return the text with few different substituted characters; later ones become symbols without a meaning."""

    def combinations(characters: str) -> int:
        return prod(max(1, sum(each in characters for each in substitutes)) for substitutes in table.values())

    kept = ""
    for each in dict.fromkeys(text):
        kept += each if combinations(kept + each) <= _MOST_COMBINATIONS else ""
    return "".join(each if each in kept else chr(_PRIVATE_USE + ord(each)) for each in text)
