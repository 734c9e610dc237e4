"""Templates of files of proxies, which lie beside this file: `@name@` stands for what settings and apps say."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_PLACE: Final = re.compile(r"^([ \t]*)@(\w+)@\n|@(\w+)@", re.ASCII | re.MULTILINE)


def filled(name: str, values: Mapping[str, str | Sequence[str]]) -> str:
    """Return a template with its places filled: words within a line, and lines in place of a line."""

    def value(found: re.Match[str]) -> str:
        indent, lines, words = found.groups()
        return str(values[words]) if words else "".join(f"{indent}{line}".rstrip() + "\n" for line in values[lines])

    return _PLACE.sub(value, (_HERE / name).read_text("utf-8"))
