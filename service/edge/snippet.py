"""What another nginx than the service's own is given: the part of a server that asks the door, or whole servers.

The templates are snippet_….conf beside this file. `auth_request` knows 200, 401 and 403 alone: the question is asked as
a program asks, so that the answer is one of these, and once more as the client asked where the answer is no. Only the
service's own nginx remembers answers.
"""

from collections.abc import Sequence
from dataclasses import astuple
from textwrap import indent
from typing import Final, cast

from service.access import identity_headers, probe
from service.access.apps import App
from service.access.public_address import PublicAddress, parse_origin
from service.edge.template import filled

_PART: Final = "# Inside the server {{ }} of {}, in place of its location /. Its other locations ask the door, too.\n"
_CIPHERS: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
_WITH_QUESTIONS: Final = (*identity_headers.FROM_CLIENTS, "Origin", "Access-Control-Request-Method", probe.HEADER)
_KIND: Final = (  # of the client's request, by which the refusal is chosen
    *("Accept", "Accept-Language", "User-Agent", "Referer", "Content-Type", "X-Requested-With"),
    *("Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-Fetch-Site", "Sec-Fetch-User"),
)


def rendered(apps: Sequence[App], door: str, *, whole: bool) -> str:
    """Return what goes into the server of each app, or whole servers. `door` is that of a `door.listen`."""
    return "\n".join(_file(app, door, whole=whole) for app in apps)


def _file(app: App, door: str, *, whole: bool) -> str:
    address = app.address
    words: dict[str, str] = {
        "app": app.name,
        "prefix": f"vestibule_{app.name.replace('-', '_')}",
        "door": door,
        "scheme": address.scheme,
        "host": address.host,
        "netloc": address.netloc,
        "port": str(address.port),
        **_upstream(app),
    }
    lines = _of_headers(app) | {"listening": _listening(app) if whole else []}
    lines["question"] = filled("snippet_question.conf", {**words, **lines}).splitlines()
    http, server = filled("snippet_http.conf", words), filled("snippet_server.conf", {**words, **lines})
    if whole:
        return f"{http}server {{\n{indent(server, '    ')}}}\n"
    return f"{http}\n{_PART.format(address.origin)}{server}"


def _upstream(app: App) -> dict[str, str]:
    """Return the upstream. A scheme that both ways have stands outside of the variable: gixy reads it there."""
    found = cast("PublicAddress", parse_origin(app.upstream))
    of_app, of_door, of_both = ("https://", "http://", "") if found.is_https else ("", "", "http://")
    return {"upstream": f"{found.host}:{found.port}", "of_app": of_app, "of_door": of_door, "of_both": of_both}


def _of_headers(app: App) -> dict[str, list[str]]:
    """Return the lines about headers: taken from the answer, given to the app, removed, and told with a question."""
    answered = (*astuple(app.headers), *identity_headers.FROM_CLIENTS)
    kept = identity_headers.SET_BY_NGINX | {name.lower() for name in answered}
    return {
        "taken": [f"auth_request_set {_variable(name)} $upstream_http_{_lower(name)};" for name in answered],
        "given": [_set(name, _variable(name)) for name in answered],
        "removed": [_set(name, '""') for name in identity_headers.removed(app.headers) if name.lower() not in kept],
        "kind": [_set(name, f"$http_{_lower(name)}") for name in _KIND],
        "asked": [_set(name, f"$http_{_lower(name)}") for name in _WITH_QUESTIONS],
    }


def _listening(app: App) -> list[str]:
    host, port, is_https = app.address.host, app.address.port, app.address.is_https
    ssl = " ssl" if is_https else ""
    certificates = [
        f'ssl_certificate "{app.certificate or f"/etc/ssl/{host}/fullchain.pem"}";',
        f'ssl_certificate_key "{app.certificate_key or f"/etc/ssl/{host}/privkey.pem"}";',
        "ssl_protocols TLSv1.2 TLSv1.3;",
        f"ssl_ciphers {_CIPHERS};",
    ]
    lines = [f"listen {port}{ssl};", f"listen [::]:{port}{ssl};", f"server_name {host};", "server_tokens off;"]
    return [*lines, *(certificates if is_https else ()), ""]


def _variable(header: str) -> str:
    return f"$vestibule_{_lower(header)}"


def _lower(header: str) -> str:
    return header.lower().replace("-", "_")


def _set(header: str, value: str) -> str:
    return f"proxy_set_header {header} {value};"
