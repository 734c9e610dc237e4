"""The service's side of `vestibule doctor`: a signed probe is answered in place of the app, with what reached it.

A probe passes the door to its own path alone, whatever the rules say, and nginx leads that path to the service. The
echo holds no cookie of ours, only how many there were. Probes count nowhere, and are logged as doctor's.
"""

import hashlib
import json
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final, cast
from wsgiref.types import StartResponse, WSGIEnvironment

import structlog

from service import RELEASE
from service.access import identity_headers, probe, session_cookie
from service.access.probe import Probe, Purpose, Seen
from service.services import Services
from service.web.door import web_socket
from service.web.door.original import Original, Source

MAXIMUM_BODY_BYTES: Final = 32 * 1024 * 1024
_KEY: Final = f"HTTP_{probe.HEADER.upper().replace('-', '_')}"
_OURS: Final = re.compile(rf"((?:\A|[;,]) *{session_cookie.OUR_NAMES})=[^;,]*")
_LONGEST_WAIT_SECONDS: Final = 5
_PART_BYTES: Final = 64 * 1024


class Probes:
    """What the door does with probes."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._cookie = services.session_cookie

    def identity(self, environ: WSGIEnvironment, original: Original | None) -> tuple[str, str, str, str] | None:
        """Return the identity with which a probe for this app passes the door; None for every other request."""
        if original is None or original.target != probe.PATH or _KEY not in environ:
            return None
        found = self._verified(environ)
        if found is None or found.origin != original.origin:
            return None
        if found.purpose is Purpose.ECHO:
            return identity_headers.values(None)
        question = "verify" if original.source is Source.NGINX else "forward"
        cookies = len(session_cookie.sent(original.cookie, self._cookie))
        seen = Seen(question, original.address, cookies, original.rules if original.rules.isalnum() else "")
        return probe.USER, probe.NAME, probe.EMAIL, seen.as_groups()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer what came in place of an app: a signed probe gets its echo, everything else 404."""
        found = self._verified(environ)
        if found is None:
            start_response("404 Not Found", [("Content-Length", "0"), ("Cache-Control", "no-store")])
            return []
        structlog.get_logger().info("doctor_probe", purpose=found.purpose.value, origin=found.origin)
        if web_socket.is_asked_for(environ):
            return _message_back(environ, start_response)
        body = json.dumps(self._echo(environ, found)).encode()
        large = [("Vestibule-Large", "x" * probe.LARGE_ANSWER_BYTES)] * (found.purpose is Purpose.LARGE_ANSWER)
        length, kind = ("Content-Length", str(len(body))), ("Content-Type", "application/json")
        start_response("200 OK", [kind, length, ("Cache-Control", "no-store"), *large])
        return [body]

    def _verified(self, environ: WSGIEnvironment) -> Probe | None:
        found = probe.verified(environ.get(_KEY, ""), keys=self._services.keys, now=self._services.clock())
        ours = self._services.apps().origins | {self._services.public.origin}
        return found if found and found.origin in ours else None

    def _echo(self, environ: WSGIEnvironment, found: Probe) -> dict[str, Any]:
        size, digest = _body(environ)
        cookies = environ.get("HTTP_COOKIE", "")
        return {
            "vestibule": RELEASE,
            "origin": found.origin,
            "time": self._services.clock(),
            "method": environ["REQUEST_METHOD"],
            "target": environ.get("RAW_URI", environ["PATH_INFO"]),
            "protocol": environ["SERVER_PROTOCOL"],
            "headers": list(_headers(environ)),
            "session_cookies": len(session_cookie.sent(cookies, self._cookie)),
            "body_bytes": size,
            "body_sha256": digest,
            "rules": self._services.apps().hash,
            "cache_seconds": self._services.door_cache_seconds,
        }


def _headers(environ: WSGIEnvironment) -> Iterator[tuple[str, str]]:
    """Yield the headers, without what a cookie of ours holds. gunicorn gives all spellings of a name one key."""
    for key, value in environ.items():
        if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} or (key.startswith("HTTP_") and key != _KEY):
            name = key.removeprefix("HTTP_").replace("_", "-").title()
            yield name, _OURS.sub(r"\1=(withheld)", value) if name == "Cookie" else value


def _body(environ: WSGIEnvironment) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    while size < MAXIMUM_BODY_BYTES and (part := environ["wsgi.input"].read(_PART_BYTES)):
        size += len(part)
        digest.update(part)
    return size, digest.hexdigest()


def _message_back(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    """Answer an upgrade: send the client's first message back, on gunicorn's connection itself, and end that."""
    start_response("101 Switching Protocols", web_socket.acceptance(environ))
    yield b""  # gunicorn sends the head
    connection = cast("socket.socket", environ["gunicorn.socket"])
    connection.settimeout(_LONGEST_WAIT_SECONDS)
    with suppress(OSError):
        if (message := web_socket.message(connection)) is not None:
            connection.sendall(web_socket.frame(message))
        connection.shutdown(socket.SHUT_RDWR)
