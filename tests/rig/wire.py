"""Requests as gunicorn would hand them over, past every client that would tidy them up first."""

import io
import sys
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask
from werkzeug.test import run_wsgi_app

from service.access.session_cookie import probe_cookie_name
from tests.rig import compiled
from tests.rig.answer import Answer

FORM = "application/x-www-form-urlencoded"
SAME = ("Sec-Fetch-Site", "same-origin")
JSON = ("Accept", "application/json")
compiled.once()


def ask(
    app: Flask,
    method: str = "GET",
    target: str = "/",
    *,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    content_type: str | None = None,
    **environ: object,
) -> Answer:
    """Send one request to the app; `target` is the request line's, header values are bytes as Latin-1 (PEP 3333).

    Lines of one name are joined with commas, as gunicorn joins them. `environ` stands over everything else.
    """
    path, _, query = target.partition("?")
    public = app.extensions["vestibule"].public
    made: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "unix",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.0",
        "REMOTE_ADDR": "",
        "HTTP_HOST": public.netloc,
        "HTTP_X_FORWARDED_FOR": "192.0.2.7",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if content_type is not None:
        made["CONTENT_TYPE"] = content_type
    for name, value in headers:
        key = f"HTTP_{name.upper().replace('-', '_')}"
        made[key] = f"{made[key]},{value}" if key in made and key != "HTTP_HOST" else value
    chunks, status, sent = run_wsgi_app(app, made | environ)
    return Answer(int(status[:3]), tuple(sent), b"".join(chunks))


def probe(app: Flask) -> str:
    """Return the cookie of a browser that was shown the sign-in form."""
    services = app.extensions["vestibule"]
    return f"{probe_cookie_name(services.public, services.cookie_domain)}=1"


def post(app: Flask, target: str = "/", body: bytes | str = b"", **more: Any) -> Answer:
    """Send a form of this site's own, from a browser that was shown the form."""
    raw = body.encode() if isinstance(body, str) else body
    headers = [SAME, *more.pop("headers", ())]
    cookies = [value for name, value in headers if name == "Cookie"]
    headers = [*(each for each in headers if each[0] != "Cookie"), ("Cookie", "; ".join([*cookies, probe(app)]))]
    return ask(app, "POST", target, **({"headers": headers, "body": raw, "content_type": FORM} | more))
