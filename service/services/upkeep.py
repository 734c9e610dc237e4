"""What `vestibule db …` did to the database as a whole."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Progress = Callable[[str, int, int], None]  # shows a step of long work, how far it has come, and how far it goes


class BadBackup(Exception):
    """A backup could not be made, is not whole, or cannot be used here: what is wrong, where, and what to type."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup, or a dump of PostgreSQL, that was found whole; `rows` in each table. A dump names no release."""

    path: Path
    engine: str
    made_at: int
    release: str
    revision: str
    oldest_release: str
    rows: Mapping[str, int]
    secret_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: where the database of before lies, if there was one, and how many sessions ended."""

    kept: Path | None
    sessions: int
    key_is_known: bool


@dataclass(frozen=True, slots=True)
class RehearsedStep:
    """A step of an upgrade that was run on a copy: its time, and the mode of its lock on each table."""

    revision: str
    seconds: float
    locks: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """An upgrade that was run on a copy, from one revision to another; `rows` in each table."""

    before: str
    after: str
    steps: tuple[RehearsedStep, ...]
    rows: Mapping[str, int]
