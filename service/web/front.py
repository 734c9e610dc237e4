"""What stands before Flask: one environment for whatever answers, and an answer of ours when all else fails."""

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import structlog

from service.web import error_fallback

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
KNOWN_METHODS: Final = SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT"}
MAXIMUM_PARAMETERS: Final = 20  # of a query string: reading many takes longer than the page, which has two


class Front:
    """The WSGI callable in front of an app. Nothing that goes wrong behind it reaches a client as a bare 500."""

    def __init__(self, app: "WSGIApplication", *, scheme: str, headers: dict[str, str]) -> None:
        self._app = app
        self._scheme = scheme
        self._headers = headers

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            self._settle(environ)
            return self._app(environ, start_response)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer of ours
            request_id = uuid.uuid4().hex
            structlog.get_logger().exception("malfunction", request_id=request_id)
            headers, body = error_fallback.answer(environ.get("HTTP_ACCEPT", ""), request_id)
            start_response("503 SERVICE UNAVAILABLE", [*(self._headers | headers).items()])
            return [body if environ.get("REQUEST_METHOD") != "HEAD" else b""]

    def _settle(self, environ: "WSGIEnvironment") -> None:
        """Write the settings' scheme over the connection's, OTHER over an undefined method (its metric label).

        An empty path is `/` (RFC 9110, 4.2.3): no redirect is needed to say so, and none is made. A query string of too
        many parameters counts as not sent.
        """
        environ["wsgi.url_scheme"] = self._scheme
        if environ["REQUEST_METHOD"] not in KNOWN_METHODS:
            environ["REQUEST_METHOD"] = "OTHER"
        environ["PATH_INFO"] = environ.get("PATH_INFO") or "/"
        if environ.get("QUERY_STRING", "").count("&") >= MAXIMUM_PARAMETERS:
            environ["QUERY_STRING"] = ""
