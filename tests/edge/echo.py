"""A service that only says what reached it: behind nginx and gunicorn it shows what the two let through."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse


def application(environ: dict[str, Any], start_response: "StartResponse") -> "Iterable[bytes]":
    """Answer with the environment and the body as JSON; on /healthz and /readyz with "ok"."""
    if environ["PATH_INFO"] in {"/healthz", "/readyz"}:
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
        return [b"ok\n"]
    seen = {name: value for name, value in environ.items() if isinstance(value, str)}
    seen["body"] = environ["wsgi.input"].read().decode("latin-1")
    said = json.dumps(seen).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(said)))])
    return [said]
