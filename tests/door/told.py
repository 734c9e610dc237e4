"""A service that answers nginx as the request's query says: `says` is the status of each next question, and headers.

Each answer has a number in Remote-User, so that a remembered one is known again.
"""

from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse

_NUMBERS = count(1)
_TURNS: dict[str, int] = {}


def application(environ: dict[str, Any], start_response: "StartResponse") -> "Iterable[bytes]":
    """Answer /auth/verify as told, everything else with 200."""
    wanted = parse_qs(urlsplit(environ.get("HTTP_X_ORIGINAL_URL", "")).query)
    status = "200"
    if environ["PATH_INFO"] == "/auth/verify":
        turn = _TURNS[environ["HTTP_X_ORIGINAL_URL"]] = _TURNS.get(environ["HTTP_X_ORIGINAL_URL"], -1) + 1
        statuses = wanted.get("says", ["200"])
        status = statuses[min(turn, len(statuses) - 1)]
    told = [(name, value) for each in wanted.get("header", []) for name, _, value in [each.partition(":")]]
    start_response(f"{status} Told", [("Remote-User", str(next(_NUMBERS))), ("Content-Length", "0"), *told])
    return []
