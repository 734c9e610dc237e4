"""The only translator from a refusal or a malfunction to a status and a message.

Statuses come from a closed list; any other becomes 503. The log gets the detail, the client only the request id.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import structlog
from flask import Flask, Response, current_app, jsonify, make_response, request
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header

from service.login.attempts import Throttled
from service.login.networks import address_of
from service.services import Unavailable
from service.web import context
from service.web.front import LONGEST_ACCEPT, RETRY_SECONDS
from service.web.look import rendering
from service.web.messages import BUSY, MESSAGES, TOO_MANY_ATTEMPTS, Message
from service.web.telemetry import reporting as telemetry

RETRY_SHED_SECONDS: Final = 2
_FORMS: Final = "vestibule.forms"
_FORM_IS_SHOWN_AGAIN: Final = frozenset({403, 429, 503})
_STANDS_FOR: Final = {406: 400, 410: 404, 422: 400, 428: 400, 501: 405, 505: 400}


@dataclass(frozen=True, slots=True)
class ErrorContent:
    """What a page shows of a refused request; `again_at` is a time in words, empty when there is none to wait for."""

    status: int
    message: Message
    again_at: str = ""


def init_app(app: Flask) -> None:
    app.extensions[_FORMS] = {}
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Unavailable, _unavailable)
    app.register_error_handler(Exception, _broken)


def keep_form(app: Flask, endpoint: str, show: Callable[[ErrorContent], str]) -> None:
    """Have refused POSTs to this endpoint answered with the form again, which `show` returns with what was typed."""
    app.extensions[_FORMS][endpoint] = show


def answer(
    status: int,
    *,
    message: Message | None = None,
    text: str = "",
    retry_after: int | None = None,
    home_url: str | None = "/",
) -> Response:
    """Return an error as a page, or as JSON where the client prefers it.

    `message` replaces the one of the status, `text` its last part; `retry_after` is in seconds from now; without
    `home_url` the page has no link.
    """
    message = message or MESSAGES[status]
    again_at = in_words(retry_after) if retry_after is not None else ""
    content = ErrorContent(status, message._replace(text=text or message.text), again_at)
    response = make_response(_body(content, home_url), status)
    if retry_after is not None:
        response.headers["Retry-After"] = str(max(1, retry_after))
    return response


def _body(content: ErrorContent, home_url: str | None) -> str | Response:
    message, request_id = content.message, telemetry.request_id()
    if prefers_json():
        return jsonify(error=message.name, message=message.text, request_id=request_id)
    form = _form_again(content) if home_url and content.status in _FORM_IS_SHOWN_AGAIN else None
    return form or rendering.page(
        "error.html",
        filled={"again_at": content.again_at, "request_id": request_id},
        status=content.status,
        message=message,
        home_url=home_url,
    )


def _form_again(content: ErrorContent) -> str | None:
    if request.method != "POST" or (content.status == 403 and _names_another_site()):  # noqa: PLR2004
        return None
    show = current_app.extensions[_FORMS].get(request.endpoint)
    with suppress(HTTPException):  # a form that cannot be read is not shown again
        return show(content) if show else None
    return None


def _names_another_site() -> bool:
    """Whether the browser says which site a refused form is of: that site has filled it in."""
    return "Sec-Fetch-Site" in request.headers or request.headers.get("Origin", "null") != "null"


def prefers_json() -> bool:
    """Whether Accept ranks JSON above HTML; a header longer than LONGEST_ACCEPT counts as not sent."""
    accept = request.headers.get("Accept", "")
    return len(accept) <= LONGEST_ACCEPT and _ranks_json_first(accept)


@lru_cache(maxsize=256)  # browsers send few different ones; parsing one takes as long as parsing a form
def _ranks_json_first(accept: str) -> bool:
    ranked = parse_accept_header(accept, MIMEAccept)
    return ranked["application/json"] > ranked["text/html"]


def in_words(seconds: int) -> str:
    """Return a time to wait in everyday words, rounded up."""
    if seconds < 60:  # noqa: PLR2004
        return "in a moment" if seconds <= 10 else f"in {seconds} seconds"  # noqa: PLR2004
    minutes = -(-seconds // 60)
    if minutes > 120:  # noqa: PLR2004
        return f"in {-(-minutes // 60)} hours"
    return "in a minute" if minutes == 1 else f"in {minutes} minutes"


def throttled(refusal: Throttled) -> Response:
    """Answer an attempt that a limit refused; the same for known and unknown usernames."""
    telemetry.count_throttled(refusal.scope.value)
    return answer(429, message=TOO_MANY_ATTEMPTS, retry_after=refusal.until - context.now())


def busy() -> Response:
    """Answer an attempt that the hashing gate refused; nginx counts it by the last header, and removes that."""
    response = answer(503, message=BUSY, retry_after=RETRY_SHED_SECONDS)
    response.headers["Vestibule-Limited-By"] = "hashing_gate"
    return response


def _refused(error: HTTPException) -> Response:
    status = _STANDS_FOR.get(error.code or 503, error.code or 503)
    if status not in MESSAGES:
        return _broken(error)
    response = answer(status, retry_after=RETRY_SECONDS if status in {429, 503} else None)
    response.headers.update((name, value) for name, value in error.get_headers() if name in {"Allow", "Retry-After"})
    return response


def _unavailable(error: Unavailable) -> Response:
    telemetry.warning("store_unavailable", detail=str(error))
    return answer(503, retry_after=RETRY_SECONDS)


def _broken(error: Exception) -> Response:
    structlog.get_logger().error("malfunction", exc_info=error, request_id=telemetry.request_id())
    return answer(503, retry_after=RETRY_SECONDS)


def wrong_host() -> Response:
    """Answer 421 to a request for another Host; a client in a private network is told which setting names this one."""
    public, asked = context.services().public, request.environ.get("HTTP_HOST", "")[:200]
    setting = "VESTIBULE_PUBLIC_URL"
    telemetry.warning("wrong_host", asked=asked, expected=public.netloc, setting=setting)
    address = address_of(context.client().address)
    if address is None or not address.is_private:
        return answer(421, home_url=None)
    text = f"This service answers to {public.origin} only (the setting {setting})."
    return answer(421, text=text, home_url=public.origin)
