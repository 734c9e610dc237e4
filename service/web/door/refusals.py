"""Whole refusals: what a client gets when it may not pass, fitting the kind of its request."""

import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote
from wsgiref.types import WSGIEnvironment

from service.access.decision import Outcome
from service.services import Services
from service.web.door.check import Apart, Checked

_NEEDS_SIGN_IN: Final = frozenset({Outcome.SIGN_IN, Outcome.NOT_FRESH, Apart.WRONG, Apart.THROTTLED})


@dataclass(frozen=True, slots=True)
class Asked:
    """What the client's request says about its kind (W3C Fetch Metadata, RFC 9110); empty where it says nothing."""

    accept: str
    mode: str
    destination: str
    referer: str
    requested_with: str
    sent_basic: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a client: a status line, headers, a body."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


def asked(environ: WSGIEnvironment) -> Asked:
    """Return the kind of the request that the proxy asks about."""
    get = environ.get
    return Asked(
        get("HTTP_ACCEPT", ""),
        get("HTTP_SEC_FETCH_MODE", ""),
        get("HTTP_SEC_FETCH_DEST", ""),
        get("HTTP_REFERER", ""),
        get("HTTP_X_REQUESTED_WITH", ""),
        get("HTTP_AUTHORIZATION", "")[:5].lower() == "basic",
    )


def answer(checked: Checked, kind: Asked, services: Services, *, request_id: str) -> Answer:
    """Return the refusal of a request that may not pass."""
    needs_sign_in, original = checked.outcome in _NEEDS_SIGN_IN, checked.original
    if needs_sign_in and original and kind.mode == "navigate" and original.method in {"GET", "HEAD"}:
        login = f"{services.public.origin}/?rd={quote(original.url, safe='')}"
        return Answer("303 See Other", [("Location", login), ("Cache-Control", "no-store")], b"")
    facts = {"error": "unauthorized", "reason": checked.outcome.value, "request_id": request_id}
    body = json.dumps(facts).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    return Answer("401 Unauthorized" if needs_sign_in else "403 Forbidden", headers, body)
