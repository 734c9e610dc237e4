"""Why an operator's change was refused, as one sentence, for the command line and for a console alike."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason, whose value is a sentence with a place for its subject (`{}`, or `{!r}` for untrusted text)."""

    reason: StrEnum
    about: str = ""

    def __str__(self) -> str:
        return self.reason.value.format(self.about)
