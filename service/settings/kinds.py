"""Kinds of settings: how a value is read, how it is written back, and how the manual describes it.

A reader takes text of the environment or a value of the TOML file. What it cannot read it refuses with Unfit,
the rest of a sentence that begins with the setting's name: what is wrong, and what would be right. It does
not quote what it was given: `faults` alone knows whether that may be shown.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from service.settings.secret import Secret

SECOND: Final = 1
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
_UNITS: Final = {"d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND}
_KIBIBYTES: Final = {"g": 1024 * 1024, "m": 1024, "k": 1, "": 1}
_DURATION: Final = re.compile(r"([0-9]{1,9})([smhd])", re.ASCII)
_SIZE: Final = re.compile(r"([0-9]{1,9})([kmg]?)", re.ASCII | re.IGNORECASE)
_WHOLE: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


class Unfit(ValueError):
    """A value that its setting cannot take."""


@dataclass(frozen=True)
class Kind:
    """One kind of value: its words in the manual, its reader, and how it is written back."""

    words: str
    read: Callable[[object], Any]
    write: Callable[[Any], str] = str
    is_secret: bool = False
    is_list: bool = False


def text(value: object) -> str:
    """Return printable text without the white space around it."""
    if isinstance(value, Secret):
        value = value.reveal()
    if isinstance(value, Path):
        value = str(value)
    if not isinstance(value, str):
        raise Unfit("must be text in quotes")
    found = value.strip()
    if not found:
        raise Unfit("is empty: give it a value, or remove it")
    if not found.isprintable():
        raise Unfit("holds control characters: remove them")
    return found


def whole(lowest: int, highest: int) -> Kind:
    """Whole numbers in a range."""
    words = f"a whole number from {lowest} to {highest}"

    def read(value: object) -> int:
        number = _number(value, _WHOLE)
        if number is None or not lowest <= number <= highest:
            raise Unfit(f"must be {words}")
        return number

    return Kind(words, read)


def duration(lowest: int, highest: int) -> Kind:
    """Durations in seconds, written `90s`, `15m`, `12h`, `14d`; a number in TOML or in code counts seconds."""
    words = f"a duration from {spelled_duration(lowest)} to {spelled_duration(highest)}"

    def read(value: object) -> int:
        seconds = _number(value, _DURATION, _UNITS)
        if seconds is None or not lowest <= seconds <= highest:
            raise Unfit(f"must be {words}, written like 15m, 12h or 14d")
        return seconds

    return Kind(words, read, spelled_duration)


class Allowance(NamedTuple):
    """So many, in so many seconds."""

    many: int
    seconds: int


def allowance(longest: int) -> Kind:
    """How many are allowed within a time, written `5/15m`."""
    words = f"a number and a time up to {spelled_duration(longest)}, such as 5/15m"

    def read(value: object) -> Allowance:
        many, _, time = value.partition("/") if isinstance(value, str) else ("", "", "")
        number, seconds = _number(many, _WHOLE), _number(time, _DURATION, _UNITS)
        if not number or seconds is None or not MINUTE <= seconds <= longest:
            raise Unfit(f"must be {words}: at least 1, and at least 1m")
        return Allowance(number, seconds)

    return Kind(words, read, lambda found: f"{found.many}/{spelled_duration(found.seconds)}")


def kibibytes(lowest: int, highest: int) -> Kind:
    """Sizes in KiB, written `19456`, `19456k` or `19m`."""
    words = f"a size from {lowest}k to {highest}k"

    def read(value: object) -> int:
        size = _number(value, _SIZE, _KIBIBYTES)
        if size is None or not lowest <= size <= highest:
            raise Unfit(f"must be {words}, written like {lowest}k or 64m")
        return size

    return Kind(words, read, lambda size: f"{size}k")


def spelled_duration(seconds: int) -> str:
    """Return the spelling with the largest unit that `duration` reads; one day is `24h`."""
    unit = next(unit for unit, size in _UNITS.items() if seconds % size == 0 and (seconds, size) != (DAY, DAY))
    return f"{seconds // _UNITS[unit]}{unit}"


def _number(value: object, pattern: re.Pattern[str], units: dict[str, int] | None = None) -> int | None:
    """Return the number that a TOML integer or a text stands for, times its unit; None when it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = pattern.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    return int(found[1]) * units[found[2].lower()] if units else int(found[0])


def listing(words: str, read_one: Callable[[str], Any]) -> Kind:
    """Lists: an array in TOML; from the environment separated by commas or white space. Double entries count once."""

    def read(value: object) -> tuple[Any, ...]:
        if isinstance(value, str):
            value = [item for item in re.split(r"[\s,]+", value) if item]
        if not isinstance(value, (list, tuple, frozenset)):
            raise Unfit("must be a list of texts")
        return _all_of(value, read_one)

    return Kind(words, read, lambda items: ", ".join(map(str, items)), is_list=True)


def _all_of(
    items: list[object] | tuple[object, ...] | frozenset[object], read_one: Callable[[str], Any]
) -> tuple[Any, ...]:
    """Read every item, so that all of the unfit ones are named at once."""
    found: dict[Any, None] = {}
    unfit = []
    for item in items:
        try:
            found[read_one(text(str(item)))] = None
        except Unfit as refused:
            unfit.append(str(refused))
    if unfit:
        raise Unfit("; ".join(unfit))
    return tuple(found)
