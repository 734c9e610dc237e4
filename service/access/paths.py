"""Paths of requests: which rule path covers one, and whether two programs could read it differently.

A proxy, the service and an app each read a path in their own way: decoded or not, with or without its letters' case.
Where the readings could belong to different rules the path is doubtful, and no single rule may admit it.
"""

import posixpath
import re
import unicodedata
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

ROOT: Final = "/"
# The time that normalising takes grows with the square of a run of combining marks: a longer path in another script
# than ASCII is doubtful.
_MOST_NORMALISED: Final = 1000
_LONGEST_REMEMBERED: Final = 200
# Encoded dots and slashes: some programs take a path apart before they decode it, some after.
_AMBIGUOUS_ENCODED: Final = re.compile("%2[ef]", re.IGNORECASE)
# Of the decoded path: parameters, Windows' separator, what ends a path in a URL, a % (of a second layer of encoding, or
# one that encodes nothing), empty segments and dot segments.
_AMBIGUOUS: Final = re.compile(r"[;\\#?%]|//|/\.{1,2}(?:/|\Z)")


def decoded(path: str) -> str | None:
    """Return the path (without its query) as every program decodes it; None where programs differ.

    Control characters, and bytes that are no UTF-8, are None, too.
    """
    if not (path.startswith("/") and path.isascii()) or _AMBIGUOUS_ENCODED.search(path):
        return None
    try:
        text = unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return None
    return text if _is_plain(text) else None


def _is_plain(text: str) -> bool:
    return text.isprintable() and not _AMBIGUOUS.search(text)


def is_rule_path(path: str) -> bool:
    """Whether a rule may name this path, as text that is not percent-encoded: there is one way to read it."""
    return path == ROOT or (path.startswith("/") and not path.endswith("/") and _is_plain(path))


def path_groups(path: str, rule_paths: AbstractSet[str]) -> tuple[list[str | None], bool]:
    """Return the path group of a request, and whether its path is doubtful: then it may belong to each one of the app.

    A path group is the longest rule path that covers the path; None when no rule covers it.
    """
    read = _read_once if len(path) <= _LONGEST_REMEMBERED else _read
    groups, is_doubtful = read(path, frozenset(rule_paths))
    return [*groups], is_doubtful


def _read(path: str, rule_paths: frozenset[str]) -> tuple[tuple[str | None, ...], bool]:
    text = decoded(path)
    if text is not None and (text.isascii() or len(text) <= _MOST_NORMALISED):
        lenient = _folded(text)
        covering = {each for each in rule_paths if _covers(each, text)}
        if covering == {each for each in rule_paths if _covers(folded(each), lenient)}:
            return (max(covering, key=len, default=None),), False
    uncovered = () if ROOT in rule_paths else (None,)
    return (*uncovered, *sorted(rule_paths)), True


_read_once: Final = lru_cache(1000)(_read)  # reading a path again costs a third of a whole check


def _covers(rule_path: str, path: str) -> bool:
    """Whether the rule path is the path or whole segments at its beginning."""
    return rule_path in (ROOT, path) or path.startswith(f"{rule_path}/")


def _folded(path: str) -> str:
    """Return the path as the most lenient program finds it: letters without case, form or accent, bare segments.

    In both cases, since some letters (the dotless i) fold in one alone. Databases find a page without its accents, and
    Windows drops what follows a colon, and dots and blanks at the end. A wide / or . may make a path of its own.
    """
    letters = path
    if not path.isascii():
        apart = unicodedata.normalize("NFKD", path)
        letters = "".join(each for each in apart if not unicodedata.combining(each))
        letters = posixpath.normpath(f"/{letters.lstrip('/')}")
    letters = letters.upper().casefold()
    return "/".join(segment.partition(":")[0].rstrip(". ") for segment in letters.split("/"))


folded: Final = lru_cache(_folded)  # the rules' paths are few, and the same for every request
