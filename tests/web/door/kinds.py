"""Requests of each kind, as browsers and programs send them through a proxy, and what was answered."""

from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from werkzeug.test import TestResponse

from tests.web.rendered import Page

Sent = dict[str, Any]
DOCUMENT: Final[Sent] = {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
FRAME: Final[Sent] = {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"}
SCRIPT: Final[Sent] = {"Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty"}
BROWSER: Final = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FORM: Final = "application/x-www-form-urlencoded"

# What may not pass, in all ways: a URL, and the rest of the request.
ALL: Final[list[tuple[str, Sent]]] = [
    ("/x", DOCUMENT),
    ("/x", {"method": "POST"} | DOCUMENT),
    ("/x", FRAME),
    ("/x", {"method": "POST"} | FRAME),
    ("/x", SCRIPT),
    ("/admin", {"signed_in": True} | DOCUMENT),
    ("/admin", {"signed_in": True, "method": "PUT"} | DOCUMENT),
    ("/admin", {"signed_in": True} | SCRIPT),
    ("https://other.example.test/", DOCUMENT),
]


def kind(answer: TestResponse) -> str:
    """Return which of the four ways to refuse an answer is."""
    if answer.status_code == 303:
        return "page"
    if answer.content_type == "application/json":
        return "program"
    return "frame" if "_top" in answer.text else "form"


def rd(url: str) -> str:
    """Return where a link to the sign-in page leads in the end."""
    assert url.startswith("https://auth.example.test/?rd=")
    return parse_qs(urlsplit(url).query, strict_parsing=True)["rd"][0]


def links(answer: TestResponse) -> list[dict[str, str]]:
    """Return the links of a page."""
    return [link.attributes for link in Page(answer.text).all("a")]


def said(answer: TestResponse) -> dict[str, str]:
    """Return what a program is told."""
    return dict(answer.get_json())
