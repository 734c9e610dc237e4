"""The tables of docs/metrics.md: which metrics there are, of which type, with which labels."""

import re
from typing import Final

from tests.house_rules.project import read

_ROW: Final = re.compile(
    r"^\| `(?P<name>[a-z_]+)` \| (?P<type>\w+) \| (?P<labels>[^|]*) \| (?P<said>[^|]+) \|$", re.MULTILINE
)


def described() -> dict[str, re.Match[str]]:
    """Return the rows of the manual's tables by the metric's name."""
    return {row["name"]: row for row in _ROW.finditer(read("docs/metrics.md"))}
