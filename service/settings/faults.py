"""What is wrong with the settings, in sentences that say what to change, and that never show a secret."""

from typing import Final

from service.settings.catalogue import CATALOGUE
from service.settings.kinds import Kind

_LONGEST_QUOTE: Final = 60


class SettingsFault(Exception):
    """The settings cannot be used. `faults` holds a sentence for each thing to change; none shows a secret."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = [printable(fault) for fault in faults]
        super().__init__("\n".join(self.faults))


def refused(name: str, value: object, reason: str, *, named: str) -> str:
    """Return the sentence for a value that its reader refused; `named` is how the operator wrote the name."""
    return f"{named} {reason}{_quoted(CATALOGUE[name].kind, value)}"


def _quoted(kind: Kind, value: object) -> str:
    """Return what was given, unless it is secret, could hold a password, or stands in the reason already."""
    text = str(value).strip()
    if kind.is_secret or kind.is_list or "@" in text or not text:
        return ""
    return f' (it is "{text[:_LONGEST_QUOTE]}{"…" if len(text) > _LONGEST_QUOTE else ""}")'


def printable(sentence: str) -> str:
    """Return a sentence that cannot move the cursor of the terminal it is written to."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in sentence)
