"""What a check found: in order, or a warning, or a fault with its reason and the line to change."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """How serious a finding is."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


EXIT_CODES: Final[Mapping[State, int]] = {State.OK: 0, State.WARNING: 1, State.FAULT: 2}
COLOURS: Final[Mapping[State, str]] = {State.OK: "green", State.WARNING: "yellow", State.FAULT: "red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: the check, what was found, why that matters, and the line to change (a file and exact text)."""

    state: State
    check: str
    what: str
    why: str = ""
    line: str = ""


def ok(check: str, what: str) -> Finding:
    """Return a check that found nothing wrong."""
    return Finding(State.OK, check, what)


def warning(check: str, what: str, why: str, line: str) -> Finding:
    """Return what works, and should be otherwise."""
    return Finding(State.WARNING, check, what, why, line)


def fault(check: str, what: str, why: str, line: str) -> Finding:
    """Return what is wrong."""
    return Finding(State.FAULT, check, what, why, line)
