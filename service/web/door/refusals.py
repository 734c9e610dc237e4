"""Whole refusals: what a client gets when it may not pass, fitting the kind of its request (kinds.py).

| the outcome                  | a page            | a form, a frame   | a program |
| ---------------------------- | ----------------- | ----------------- | --------- |
| not signed in, or not lately | 303 to sign in    | 401 and a page    | 401, JSON |
| a wrong app password         | 401 and a page    | 401 and a page    | 401, JSON |
| anything else                | 403 and a page    | 403 and a page    | 403, JSON |

Only a page that is being opened is redirected: what follows a redirect by itself would take the sign-in page for the
app's answer. A refusal leads to signing in only where that can help.
"""

import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote
from wsgiref.types import WSGIEnvironment

from service.access.decision import Outcome
from service.access.return_to import destination, origin_of
from service.services import Services
from service.web.door import pages
from service.web.door.check import Apart, Checked
from service.web.door.kinds import Asked, Kind, kind_of
from service.web.front import error_fallback
from service.web.messages import Message

_STATUS: Final = {303: "303 See Other", 401: "401 Unauthorized", 403: "403 Forbidden"}
_REDIRECTED: Final = frozenset({Outcome.SIGN_IN, Outcome.NOT_FRESH})
# The app's own headers are not there, and another page must neither show this one nor read it.
_HEADERS: Final = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a client: a status line, headers, a body."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


def answer(checked: Checked, said: Asked, services: Services, *, request_id: str) -> Answer:
    original, outcome = checked.original, checked.outcome
    method = original.method if original else "GET"
    kind = kind_of(said, method)
    login_url = _login_url(checked, said, kind, services) if checked.may_sign_in else None
    if kind is Kind.PAGE and outcome in _REDIRECTED and login_url:
        return _made(303, [("Location", login_url)], b"", request_id)
    headers = _challenge(checked, said, services) if login_url else []
    message = pages.message_of(checked, kind)
    if kind is Kind.PROGRAM:
        headers.append(("Content-Type", "application/json"))
        body = _json(message, outcome, login_url, request_id)
    else:
        page = pages.page(checked, message, services, kind=kind, login_url=login_url, request_id=request_id)
        headers += [("Content-Type", "text/html; charset=utf-8"), *page.headers]
        body = page.body
    return _made(401 if login_url else 403, headers, b"" if method == "HEAD" else body, request_id)


def unavailable(environ: WSGIEnvironment, *, request_id: str) -> Answer:
    """Return the answer while a store is away: nothing was decided."""
    headers, body = error_fallback(environ.get("HTTP_ACCEPT", ""), request_id)
    return Answer("503 Service Unavailable", [*headers.items(), *_HEADERS, *pages.BARE], body)


def _made(status: int, headers: list[tuple[str, str]], body: bytes, request_id: str) -> Answer:
    rest = [("Content-Length", str(len(body))), ("X-Request-ID", request_id)]
    return Answer(_STATUS[status], [*headers, *_HEADERS, *rest], body)


def _json(message: Message, outcome: Outcome | Apart, login_url: str | None, request_id: str) -> bytes:
    where = {"login_url": login_url} if login_url else {}
    facts = {"error": message.name, "message": message.text, **where, "reason": outcome.value}
    return json.dumps(facts | {"request_id": request_id}).encode()


def _login_url(checked: Checked, said: Asked, kind: Kind, services: Services) -> str | None:
    """Return where to sign in, and from there back to a page: never to an address that only programs ask for."""
    original, origins = checked.original, services.apps().origins
    if original is None:
        return None
    is_demo = checked.app is not None and checked.app is services.demo

    def allowed(url: str) -> str | None:
        where = destination(url, public=services.public, origins=frozenset(), apps=origins)
        is_of_app = where is not None and (origin_of(where) is not None or is_demo)
        return where if is_of_app else None

    asked_for = original.url if kind is Kind.PAGE else said.referer
    root = "/demo/" if is_demo else f"{original.origin}/"
    login_url = f"{services.public.origin}/?rd={quote(allowed(asked_for) or root, safe='')}"
    rule = checked.decision.enforced.rule if checked.decision else None
    if checked.outcome is Outcome.NOT_FRESH and rule:
        return f"{login_url}&fresh={rule.fresh}"
    return login_url


def _challenge(checked: Checked, said: Asked, services: Services) -> list[tuple[str, str]]:
    """Return the headers of a 401: how to authenticate (RFC 9110, 15.5.2), and when a throttled client may try again.

    A browser opens a prompt of its own for Basic, so a client is asked for that only if it began with it.
    """
    app = checked.app
    takes, realm = app is not None and app.app_passwords, app.name if app else ""
    if takes and said.scheme == "basic":
        challenge = f'Basic realm="{realm}", charset="UTF-8"'
    elif takes:
        wrong = ', error="invalid_token"' if checked.outcome is Apart.WRONG else ""
        challenge = f'Bearer realm="{realm}"{wrong}'
    else:
        challenge = f'Vestibule realm="{realm}"'
    headers = [("WWW-Authenticate", challenge)]
    if checked.outcome is Apart.THROTTLED:
        headers.append(("Retry-After", str(max(1, checked.retry_at - services.clock()))))
    return headers
