"""Bounces: how often this browser was sent straight back to the same page of an app in the last seconds.

An app that does not get the session cookie asks for signing in again, and the sign-in page sends a browser that is
signed in back: without an end, until the browser gives up.
"""

import hashlib
import re
from typing import Final

from flask import Response

from service.web import context
from service.web.cookies.reading import HostCookie

SECONDS: Final = 10
MOST: Final = 2
_COOKIE: Final = HostCookie("bounces", max_age=SECONDS)
_ENTRY: Final = re.compile(r"([0-9]{10})([0-9a-f]{8})", re.ASCII)
_MOST_ENTRIES: Final = 12  # several tabs bounce at once


def too_many(url: str) -> bool:
    return sum(entry.endswith(_short(url)) for entry in _recent()) >= MOST


def add(response: Response, url: str) -> None:
    entries = [*_recent(), f"{context.now():010}{_short(url)}"]
    _COOKIE.set(response, "-".join(entries[-_MOST_ENTRIES:]))


def _recent() -> list[str]:
    now = context.now()
    return [entry[0] for entry in _ENTRY.finditer(_COOKIE.value()) if abs(now - int(entry[1])) < SECONDS]


def _short(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:8]
