"""How nginx finds a request's path group, under which it remembers a yes: by regular expressions, without decoding.

Only a plain path is known by its rule path. Any other path stands for itself, so that no reading of a path that differs
from the service's (service/access/paths.py) can find what was decided about another one.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from service.access.paths import ROOT, folded

# Letters, digits, and the punctuation of RFC 3986 but for `;`, which some programs cut off, and `%`.
_PLAIN: Final = r"[A-Za-z0-9._~!$&'()*+,=/-]*"
_END: Final = r"(?:[/?]|$)"
_NEVER: Final = r"$^."
_BY_ITSELF: Final = "$door_path"  # door.conf


def of_plain_paths(rule_paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the keys and values of nginx's map of a request's target; the first key that matches decides.

    A value is the number of a rule path, or the path itself. First come the paths that no rule path stands for: those
    that are not plain, and those that another rule path would cover if letters had no case or form.
    """
    paths = sorted({*rule_paths, ROOT}, key=lambda path: (-len(path), path))
    yield rf'"~^(?!{_PLAIN}(?:\?|$))"', _BY_ITSELF
    yield rf'"~^[^?]*(?://|\.{_END})"', _BY_ITSELF
    named = [(number, path) for number, path in enumerate(paths) if path != ROOT]
    for _, path in named:
        if _is_plain(folded(path)):
            yield rf'"~^(?!{_exactly(path)}{_END}){_in_any_case(folded(path))}{_END}"', _BY_ITSELF
    for number, path in named:
        if _is_plain(path):
            yield rf'"~^{_exactly(path)}{_END}"', str(number)
    yield "default", str(len(paths) - 1)


def _is_plain(path: str) -> bool:
    return re.fullmatch(_PLAIN, path, re.ASCII) is not None


def _exactly(path: str) -> str:
    return re.escape(path) if _is_plain(path) else _NEVER


def _in_any_case(path: str) -> str:
    return "".join(f"[{each}{each.upper()}]" if each.isalpha() else re.escape(each) for each in path)
