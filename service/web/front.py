"""Before Flask: one reading of the WSGI environment, the door, and an answer when even that to a malfunction failed."""

import json
import re
import uuid
from collections.abc import Iterable
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog

from service.access import probe
from service.web.messages import MESSAGES

DOOR_PATHS: Final = frozenset({"/auth/verify", "/auth/forward", probe.PATH})
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
KNOWN_METHODS: Final = SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT"}
# Of a query string: pages read two parameters, both ASCII. Parsing many, or decoding many escapes of anything else (a
# `%` that encodes nothing, bytes that are not UTF-8), would cost more than a page.
MAXIMUM_PARAMETERS: Final = 20
MAXIMUM_ODD_ESCAPES: Final = 200
LONGEST_ACCEPT: Final = 300  # browsers send less than 200; parsing a longer one would cost more than the page
_ODD_ESCAPE: Final = re.compile("%(?![0-7][0-9A-Fa-f])")

RETRY_SECONDS: Final = 5
_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{message.title}</title>
<h1>{message.title}</h1>
<p>{message.text} Please try again in a moment.</p>
<p>Error 503, reference {request_id}</p>
</html>
"""


class Front:
    """The WSGI callable in front of an app and the door. No malfunction behind it reaches a client as a bare 500."""

    def __init__(self, app: WSGIApplication, *, door: WSGIApplication, scheme: str) -> None:
        self._app = app
        self._door = door
        self._scheme = scheme

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            if environ.get("PATH_INFO") in DOOR_PATHS:
                return self._door(environ, start_response)
            self._normalise(environ)
            return self._app(environ, start_response)
        except Exception:  # noqa: BLE001 - any malfunction gets the last answer
            request_id = uuid.uuid4().hex
            structlog.get_logger().exception("malfunction", request_id=request_id)
            headers, body = error_fallback(environ.get("HTTP_ACCEPT", ""), request_id)
            start_response("503 SERVICE UNAVAILABLE", [*headers.items()])
            return [body if environ.get("REQUEST_METHOD") != "HEAD" else b""]

    def _normalise(self, environ: WSGIEnvironment) -> None:
        """Set the scheme of the settings, and the method OTHER for an undefined one (it is a metric's label).

        An empty path is `/` (RFC 9110, 4.2.3); a query string that costs too much counts as not sent.
        """
        environ["wsgi.url_scheme"] = self._scheme
        if environ["REQUEST_METHOD"] not in KNOWN_METHODS:
            environ["REQUEST_METHOD"] = "OTHER"
        environ["PATH_INFO"] = environ.get("PATH_INFO") or "/"
        query = environ.get("QUERY_STRING", "")
        if query.count("&") >= MAXIMUM_PARAMETERS or len(_ODD_ESCAPE.findall(query)) > MAXIMUM_ODD_ESCAPES:
            environ["QUERY_STRING"] = ""


def error_fallback(accept: str, request_id: str) -> tuple[dict[str, str], bytes]:
    """Return headers and body of a 503 that needs no template, store or request; nginx adds the other headers."""
    message = MESSAGES[503]
    if "application/json" in accept and "text/html" not in accept:
        facts = {"error": message.name, "message": message.text, "request_id": request_id}
        content_type, body = "application/json", json.dumps(facts).encode()
    else:
        content_type, body = "text/html; charset=utf-8", _PAGE.format(message=message, request_id=request_id).encode()
    headers = {"Content-Type": content_type, "Content-Length": str(len(body)), "Retry-After": str(RETRY_SECONDS)}
    return headers | {"X-Request-ID": request_id}, body
