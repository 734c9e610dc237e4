"""What holds for every answer there is, whatever was asked."""

import re
from copy import copy
from typing import Final

from tests.rig.answer import Answer
from tests.rig.memory_store import Rows

CLOSED_LIST: Final = {200, 204, 303, 304, 400, 401, 403, 404, 405, 408, 413, 414, 415, 421, 429, 431, 502, 503}
FIXED: Final = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), "
    "publickey-credentials-create=(self), publickey-credentials-get=(self)",
}
ONCE: Final = {*FIXED, "Cache-Control", "Content-Security-Policy", "Content-Type", "X-Request-ID"}
LONGEST_WINDOW: Final = 3600
NEVER: Final = {"Server", "X-Powered-By", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"}
TELLS: Final = ("Traceback", "Werkzeug", "Flask", "jinja", "/service/", "sqlite", "gunicorn")


def kept(answer: Answer, *, cache: str = "no-store", head: bool = False) -> Answer:
    """Return the answer after checking every promise that holds for all of them."""
    assert answer.status in CLOSED_LIST
    assert {name: answer.all(name) for name in FIXED} == {name: [value] for name, value in FIXED.items()}
    assert {name: len(answer.all(name)) for name in ONCE} == dict.fromkeys(ONCE, 1)
    assert [name for name in NEVER if answer.all(name)] == []
    assert answer.get("Cache-Control") == cache
    assert re.fullmatch(r"[0-9a-f]{32}", answer.get("X-Request-ID") or "")
    assert all(value.isprintable() and value.isascii() for _, value in answer.headers)
    _names_what_to_do(answer)
    if answer.status >= 400 and not head:
        _is_ours(answer)
    return answer


def copy_of(rows: Rows) -> Rows:
    """Return what is kept now, to compare with what is kept later."""
    return Rows(**{name: copy(kept) for name, kept in vars(rows).items()})


def _names_what_to_do(answer: Answer) -> None:
    """A refusal says what is allowed, or when to come back; a redirect leads to a path of ours or a listed origin."""
    assert len(answer.all("Allow")) <= 1
    assert len(answer.all("Retry-After")) <= 1
    if answer.status == 405:
        assert answer.get("Allow")
    if answer.status in {429, 503}:
        assert 1 <= int(answer.get("Retry-After") or 0) <= (60 if answer.status == 503 else LONGEST_WINDOW)
    assert (answer.get("Location") is not None) is (answer.status == 303)


def _is_ours(answer: Answer) -> None:
    """The page, or the JSON, of this service: with the request's id, and with nothing about the inside."""
    assert [tell for tell in TELLS if tell in answer.text] == []
    if answer.get("Content-Type") == "application/json":
        assert answer.json.keys() == {"error", "message", "request_id"}
        assert answer.json["request_id"] == answer.get("X-Request-ID")
        return
    assert answer.get("Content-Type") == "text/html; charset=utf-8"
    assert answer.text.startswith("<!doctype html>")
    assert answer.status in {400, 401} or str(answer.get("X-Request-ID")) in answer.text
