"""What is wrong with the settings, in sentences that say what to change, and that never show a secret."""

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import ValidationError

from service.settings.catalogue import CATALOGUE

_LONGEST_QUOTE: Final = 60


class SettingsFault(Exception):
    """The settings cannot be used. `faults` holds a sentence for each thing to change; none shows a secret."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = [printable(fault) for fault in faults]
        super().__init__("\n".join(self.faults))


def refused(error: ValidationError, named: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (dotted name, sentence) for each value that its reader refused; `named` has the names as written."""
    for each in error.errors(include_url=False):
        name = ".".join(map(str, each["loc"]))
        reason = each.get("ctx", {}).get("error", each["msg"])
        yield name, f"{named.get(name, name)} {reason}{_quoted(name, each['input'])}"


def _quoted(name: str, value: object) -> str:
    """Return what was given, unless it is secret, could hold a password, or stands in the reason already."""
    setting = CATALOGUE.get(name)
    text = str(value).strip()
    if setting is None or setting.kind.is_secret or setting.kind.is_list or "@" in text or not text:
        return ""
    return f' (it is "{text[:_LONGEST_QUOTE]}{"…" if len(text) > _LONGEST_QUOTE else ""}")'


def printable(sentence: str) -> str:
    """Return a sentence that cannot move the cursor of the terminal it is written to."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in sentence)
