"""Kinds of settings: how a value is read, how it is written back, and how the manual describes it.

A reader takes the text of an environment variable or a value of the TOML file. It refuses a value with InvalidValue:
the rest of a sentence that begins with the setting's name and says what would be right. A reader never quotes the
value: `load` alone decides whether it may be shown.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from service.login.attempts import Limit

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
MINIMUM_KEY_CHARACTERS: Final = 32
# 32 random hexadecimal digits have fewer than 8 different ones once in 28 million times; "changeme changeme" has 7.
_DIFFERENT_CHARACTERS: Final = 8
_LONGEST_NAME: Final = 40
_SECONDS: Final = {"d": DAY, "h": HOUR, "m": MINUTE, "s": 1}
_KIBIBYTES: Final = {"": 1, "k": 1, "K": 1, "m": 1024, "M": 1024, "g": 1024 * 1024, "G": 1024 * 1024}
_COUNT: Final = {"": 1}
_NUMBER: Final = re.compile("([0-9]{1,9})([A-Za-z]?)", re.ASCII)
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}", re.ASCII)


class InvalidValue(ValueError):
    """A value that its setting cannot take."""


class SettingsFault(Exception):
    """The settings cannot be used. `faults` holds a sentence for each thing to change; none shows a secret."""

    def __init__(self, faults: list[str]) -> None:
        # A sentence must not move the cursor of the terminal that it is written to.
        self.faults = ["".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in f) for f in faults]
        super().__init__("\n".join(self.faults))


class Secret:
    """Text that no print, log or dump shows. Not a dataclass: `dataclasses.asdict` takes those apart."""

    __slots__ = ("_clear",)

    def __init__(self, clear: str) -> None:
        self._clear: Final = clear

    def reveal(self) -> str:
        return self._clear

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._clear == other._clear

    def __hash__(self) -> int:
        return hash(self._clear)


@dataclass(frozen=True)
class Kind:
    """One kind of value: its words in the manual, its reader, and how it is written back."""

    words: str
    read: Callable[[object], Any]
    write: Callable[[Any], str] = str
    is_secret: bool = False
    is_list: bool = False
    is_free_text: bool = False


def text(value: object) -> str:
    """Return printable text without the white space around it."""
    if not isinstance(value, str):
        raise InvalidValue("must be text in quotes")
    found = value.strip()
    if not found:
        raise InvalidValue("is empty: give it a value, or remove it")
    if not found.isprintable():
        raise InvalidValue("has control characters: remove them")
    return found


def whole(lowest: int, highest: int) -> Kind:
    return _number(f"a whole number from {lowest} to {highest}", range(lowest, highest + 1), _COUNT, str)


def duration(lowest: int, highest: int) -> Kind:
    """Durations in seconds, written `90s`, `15m`, `12h`, `14d`; a number in TOML counts seconds."""
    words = f"a duration from {spelled_duration(lowest)} to {spelled_duration(highest)}, in s, m, h or d"
    return _number(words, range(lowest, highest + 1), _SECONDS, spelled_duration)


def kibibytes(lowest: int, highest: int) -> Kind:
    """Sizes in KiB, written `19456`, `19456k` or `19m`."""
    words = f"a size from {lowest}k to {highest}k, in k, m or g"
    return _number(words, range(lowest, highest + 1), _KIBIBYTES, lambda size: f"{size}k")


def _number(words: str, allowed: range, units: dict[str, int], write: Callable[[int], str]) -> Kind:
    def read(value: object) -> int:
        number = _parsed(value, units)
        if number not in allowed:
            raise InvalidValue(f"must be {words}")
        return number

    return Kind(words, read, write)


def _parsed(value: object, units: dict[str, int]) -> int:
    """Return the number that a TOML integer or a text stands for, times its unit; -1 when it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    return int(found[1]) * units[found[2]] if found and found[2] in units else -1


def flag(value: object) -> bool:
    """Return what `true` or `false` says, as TOML or as text."""
    word = value.strip().lower() if isinstance(value, str) else str(value).lower()
    if word not in {"true", "false"}:
        raise InvalidValue("must be true or false")
    return word == "true"


def limit(longest: int) -> Kind:
    """How many are allowed within a time, written `5/15m`."""
    words = f"a number and a time up to {spelled_duration(longest)}, such as 5/15m"

    def read(value: object) -> Limit:
        count, _, time = value.partition("/") if isinstance(value, str) else ("", "", "")
        found = Limit(_parsed(count, _COUNT), _parsed(time, _SECONDS))
        if found.count < 1 or not MINUTE <= found.seconds <= longest:
            raise InvalidValue(f"must be {words}: at least 1, and at least 1m")
        return found

    return Kind(words, read, lambda found: f"{found.count}/{spelled_duration(found.seconds)}")


def spelled_duration(seconds: int) -> str:
    """Return the spelling with the largest unit that `duration` reads; one day is `24h`."""
    if seconds == 0:
        return "0s"
    unit = next(unit for unit, size in _SECONDS.items() if seconds % size == 0 and (seconds, size) != (DAY, DAY))
    return f"{seconds // _SECONDS[unit]}{unit}"


def listing(words: str, read_one: Callable[[str], Any], *, may_be_empty: bool = True, may_repeat: bool = True) -> Kind:
    """Lists: an array in TOML; from the environment separated by commas or white space. Double entries count once."""

    def read(value: object) -> tuple[Any, ...]:
        items = [item for item in re.split(r"[\s,]+", value) if item] if isinstance(value, str) else value
        if not isinstance(items, (list, tuple)):
            raise InvalidValue("must be a list of texts")
        found: dict[Any, None] = {}
        refused = []
        for item in map(str, items):
            try:
                one = read_one(text(item))
            except InvalidValue as reason:
                refused.append(f'"{item}" {reason}' if "@" not in item else str(reason))  # it may hold a password
            else:
                if one in found and not may_repeat:
                    refused.append(f'"{item}" stands there twice')
                found[one] = None
        if refused:  # all of them at once
            raise InvalidValue("; ".join(refused))
        if not (found or may_be_empty):
            raise InvalidValue(f"is empty: write {words}")
        return tuple(found)

    return Kind(words, read, lambda items: ", ".join(map(str, items)), is_list=True)


def name(value: object) -> str:
    """Return a name to show: 1 to 40 characters in NFC, none of them invisible."""
    found = unicodedata.normalize("NFC", text(value))
    if len(found) > _LONGEST_NAME:
        raise InvalidValue(f"must have at most {_LONGEST_NAME} characters")
    return found


def colour(value: object) -> str:
    """Return a colour as `#rrggbb` in lower case: it is written into a style sheet."""
    found = text(value).lower()
    if not _COLOUR.fullmatch(found):
        raise InvalidValue("must be a colour written #rrggbb, such as #0f5f6b")
    return found


def key(value: object) -> Secret:
    """Return secret keys, one a line: the first signs, all verify."""
    if not isinstance(value, str):
        raise InvalidValue("must be text in quotes")
    keys = [line.strip() for line in value.splitlines() if line.strip()]
    if not keys:
        raise InvalidValue("is empty: make a key with `openssl rand -base64 32`")
    for number, each in enumerate(keys, start=1):
        if len(each) < MINIMUM_KEY_CHARACTERS or len(set(each)) < _DIFFERENT_CHARACTERS or not each.isprintable():
            where = f" in line {number}" if len(keys) > 1 else ""
            raise InvalidValue(
                f"is too easy to guess{where}: a key has at least 32 random characters; make one with "
                "`openssl rand -base64 32`"
            )
    return Secret("\n".join(keys))


NAME: Final = Kind("1 to 40 characters", name, is_free_text=True)
FLAG: Final = Kind("true or false", flag, lambda found: str(found).lower())
COLOUR: Final = Kind("a colour such as #0f5f6b", colour)
KEY: Final = Kind("a secret, one key of at least 32 characters a line", key, lambda _: "(hidden)", is_secret=True)
