"""What is answered when even the answer to a malfunction failed: needs no template, no store and no request."""

import json
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import structlog

from service.web.sentences import ANSWERS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

RETRY_SECONDS: Final = "5"
_SAID: Final = ANSWERS[503]
_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{said.title}</title>
<h1>{said.title}</h1>
<p>{said.message} Please try again in a moment.</p>
<p>Error 503, reference {request_id}</p>
</html>
"""


class LastResort:
    """Stands in front of everything: nothing that goes wrong behind it reaches a client as the server's bare 500."""

    def __init__(self, app: "WSGIApplication", headers: dict[str, str]) -> None:
        self._app = app
        self._headers = headers

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            return self._app(environ, start_response)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer of ours
            request_id = uuid.uuid4().hex
            structlog.get_logger().exception("malfunction", request_id=request_id)
            content_type, body = _body(environ.get("HTTP_ACCEPT", ""), request_id)
            answered = {"Content-Type": content_type, "Content-Length": str(len(body)), "Retry-After": RETRY_SECONDS}
            headers = [*(self._headers | answered | {"X-Request-ID": request_id}).items()]
            start_response("503 SERVICE UNAVAILABLE", headers)
            return [body if environ.get("REQUEST_METHOD") != "HEAD" else b""]


def _body(accept: str, request_id: str) -> tuple[str, bytes]:
    if "application/json" in accept and "text/html" not in accept:
        facts = {"error": _SAID.name, "message": _SAID.message, "request_id": request_id}
        return "application/json", json.dumps(facts).encode()
    return "text/html; charset=utf-8", _PAGE.format(said=_SAID, request_id=request_id).encode()
