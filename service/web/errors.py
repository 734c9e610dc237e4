"""The only translator from what went wrong to a status and a public sentence.

Answers come from a closed list; whatever is not on it becomes 503 with the request id, the detail goes to
the log, and nothing about the inside reaches the page.
"""

import ipaddress
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
from service.services import Unavailable
from service.web import context
from service.web.look import rendering
from service.web.messages import ANSWERS, BUSY, TOO_MANY_TRIES, Said
from service.web.telemetry import reporting as telemetry

RETRY_SOON_SECONDS: Final = 5
RETRY_SHED_SECONDS: Final = 2
LONGEST_ACCEPT: Final = 300  # browsers send less than 200; reading one takes as long as the page when it is longer
_FORMS: Final = "vestibule.forms"
_FORM_IS_SHOWN_AGAIN: Final = frozenset({403, 429, 503})
_STANDS_FOR: Final = {406: 400, 410: 404, 422: 400, 428: 400, 501: 405, 505: 400}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a page says of a request that was refused; `again_at` in words, empty when there is no time to wait for."""

    status: int
    said: Said
    again_at: str = ""


def init_app(app: Flask) -> None:
    """Answer every refusal and every malfunction of this app in its own words."""
    app.extensions[_FORMS] = {}
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Unavailable, _unavailable)
    app.register_error_handler(Exception, _broken)


def keep_form(app: Flask, endpoint: str, show: Callable[[Refusal], str]) -> None:
    """Answer what is refused of this endpoint's form with the form itself, as `show` fills it in."""
    app.extensions[_FORMS][endpoint] = show


def answer(
    status: int,
    *,
    said: Said | None = None,
    message: str = "",
    retry_after: int | None = None,
    home_url: str | None = "/",
) -> Response:
    """Return the page, or the JSON where the client prefers it, that says what went wrong.

    `said` stands in for the status's own words, `message` for its last sentence; `retry_after` is in seconds from now.
    Without a `home_url` there is no way on.
    """
    words = said or ANSWERS[status]
    if message:
        words = words._replace(message=message)
    refusal = Refusal(status, words, in_words(retry_after) if retry_after is not None else "")
    response = make_response(_body(refusal, home_url), status)
    if retry_after is not None:
        response.headers["Retry-After"] = str(max(1, retry_after))
    return response


def _body(refusal: Refusal, home_url: str | None) -> str | Response:
    if prefers_json():
        said = refusal.said
        return jsonify(error=said.name, message=said.message, request_id=telemetry.request_id())
    form = _form_again(refusal) if home_url and refusal.status in _FORM_IS_SHOWN_AGAIN else None
    return form or rendering.page(
        "error.html",
        filled={"again_at": refusal.again_at, "request_id": telemetry.request_id()},
        status=refusal.status,
        title=refusal.said.title,
        message=refusal.said.message,
        home_url=home_url,
    )


def _form_again(refusal: Refusal) -> str | None:
    if request.method != "POST" or (refusal.status == 403 and "Sec-Fetch-Site" in request.headers):  # noqa: PLR2004
        return None  # the browser says that another site filled the form in
    show = current_app.extensions[_FORMS].get(request.endpoint)
    with suppress(HTTPException):  # a form that cannot be read is not shown again
        return show(refusal) if show else None
    return None


def prefers_json() -> bool:
    """Whether the client would rather have JSON than a page; without a header of sensible length it gets the page."""
    accept = request.headers.get("Accept", "")
    return len(accept) <= LONGEST_ACCEPT and _ranks_json_first(accept)


@lru_cache(maxsize=256)  # browsers send few different ones, and reading one takes as long as reading a form
def _ranks_json_first(accept: str) -> bool:
    ranked = parse_accept_header(accept, MIMEAccept)
    return ranked["application/json"] > ranked["text/html"]


def in_words(seconds: int) -> str:
    """Return a time to wait as people say it, rounded up."""
    if seconds < 60:  # noqa: PLR2004
        return "in a moment" if seconds <= 10 else f"in {seconds} seconds"  # noqa: PLR2004
    minutes = -(-seconds // 60)
    if minutes > 120:  # noqa: PLR2004
        return f"in {-(-minutes // 60)} hours"
    return "in a minute" if minutes == 1 else f"in {minutes} minutes"


def throttled(refusal: Throttled) -> Response:
    """Answer an attempt that came too soon; alike for names that somebody has and those that nobody has."""
    telemetry.count_throttled(refusal.scope.value)
    return answer(429, said=TOO_MANY_TRIES, retry_after=refusal.until - context.now())


def busy() -> Response:
    """Answer an attempt for which there was no place at the gate."""
    return answer(503, said=BUSY, retry_after=RETRY_SHED_SECONDS)


def _refused(error: HTTPException) -> Response:
    status = _STANDS_FOR.get(error.code or 503, error.code or 503)
    if status not in ANSWERS:
        return _broken(error)
    response = answer(status, retry_after=RETRY_SOON_SECONDS if status in {429, 503} else None)
    response.headers.update((name, value) for name, value in error.get_headers() if name in {"Allow", "Retry-After"})
    return response


def _unavailable(error: Unavailable) -> Response:
    structlog.get_logger().warning("store_unavailable", detail=str(error), request_id=telemetry.request_id())
    return answer(503, retry_after=RETRY_SOON_SECONDS)


def _broken(error: Exception) -> Response:
    structlog.get_logger().error("malfunction", exc_info=error, request_id=telemetry.request_id())
    return answer(503, retry_after=RETRY_SOON_SECONDS)


def wrong_host() -> Response:
    """Refuse a request for another name; on a private network the page says which setting names this one."""
    public, asked = context.services().public, request.environ.get("HTTP_HOST", "")
    structlog.get_logger().warning(
        "wrong_host",
        asked=asked[:200],
        expected=public.netloc,
        setting="VESTIBULE_PUBLIC_URL",
        request_id=telemetry.request_id(),
    )
    if not _is_private(context.client().address):
        return answer(421, home_url=None)
    message = f"This service answers to {public.origin} only (the setting VESTIBULE_PUBLIC_URL)."
    return answer(421, message=message, home_url=public.origin)


def _is_private(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return False
