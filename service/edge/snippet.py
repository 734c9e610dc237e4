"""What another nginx than the service's own is given: the part of a server that asks the door, or whole servers.

`auth_request` knows 200, 401 and 403 alone: the question is asked as a program asks, so that the answer is one of
these, and once more as the client asked where the answer is no. Only the service's own nginx remembers answers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from textwrap import indent
from typing import Final, cast

from service.access import identity_headers, probe
from service.access.apps import App
from service.access.public_address import PublicAddress, parse_origin

_HTTP: Final = """\
# App %(app)s. Inside http { }, such as a file in /etc/nginx/conf.d:
upstream %(prefix)s {
    server %(door)s;
    keepalive 16;
}
upstream %(prefix)s.app {
    server %(upstream)s;
}
# A probe of `vestibule doctor` takes the app's way, and the service answers it in place of the app.
map $request_uri $%(prefix)s_to {
    "~^/\\.well-known/vestibule/probe$" %(of_door)s%(prefix)s;  # a text would fit in any case of its letters
    default                            %(of_app)s%(prefix)s.app;
}
# A web socket, and no other protocol: through h2c a client could send requests past the door. HTTP/1.1 alone has
# upgrades.
map "$server_protocol $http_upgrade" $%(prefix)s_upgrade {
    "~*^HTTP/1\\.1 websocket$" websocket;
    default                   "";
}
map $%(prefix)s_upgrade $%(prefix)s_connection {
    ""      "";
    default upgrade;
}
"""
_PART: Final = (
    "# Inside the server { } of %(origin)s, in place of its location /. Its other locations ask the door, too.\n"
)
_SERVER: Final = """\
underscores_in_headers off;     # as by default; apps take _ and . in a header's name for a hyphen
ignore_invalid_headers on;
if ($host != "%(host)s") { return 421; }
auth_request /.well-known/vestibule/verify;
%(taken)s
error_page 401 403 = @vestibule_refused;
error_page 500 = @vestibule_away;

location = /.well-known/vestibule/verify {
    internal;
    proxy_set_header Accept application/json;
%(question)s
    proxy_pass http://%(prefix)s/auth/forward;
}

# The answer goes to the client as it is. WWW-Authenticate comes from the answer to the first question.
location @vestibule_refused {
    proxy_intercept_errors off;
    proxy_hide_header WWW-Authenticate;
    proxy_hide_header Cookie;
    proxy_hide_header Authorization;
%(kind)s
%(question)s
    rewrite ^ /auth/forward break;
    proxy_pass http://%(prefix)s;
}

location @vestibule_away {
    default_type text/plain;
    add_header Retry-After 5 always;
    add_header Cache-Control no-store always;
    return 503 "The login service does not answer. Please try again in a moment.\\n";
}

location / {
    proxy_pass %(of_both)s$%(prefix)s_to;
    proxy_http_version 1.1;
    proxy_redirect off;
    proxy_intercept_errors off;
    proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;
    client_max_body_size 0;         # the app decides
    proxy_request_buffering off;
    proxy_buffering off;
    proxy_buffer_size 32k;          # the head of an answer
    proxy_buffers 4 32k;
    proxy_busy_buffers_size 64k;
    proxy_read_timeout 1h;          # a web socket, a stream or a long poll may be silent for so long
    proxy_set_header Upgrade $%(prefix)s_upgrade;
    proxy_set_header Connection $%(prefix)s_connection;
    proxy_set_header Host %(netloc)s;
%(address)s
    proxy_set_header X-Forwarded-Port %(port)s;
    proxy_set_header X-Real-IP $remote_addr;
%(given)s
    # These never come from a client.
    proxy_headers_hash_max_size 2048;
    proxy_headers_hash_bucket_size 128;
%(removed)s
}
"""
_QUESTION: Final = """\
auth_request off;
proxy_method GET;
proxy_pass_request_body off;
client_max_body_size 0;         # counts for the question, too
proxy_pass_request_headers off;
proxy_http_version 1.1;
proxy_connect_timeout 2s;
proxy_read_timeout 5s;
proxy_buffer_size 16k;          # the answer brings the client's cookies
proxy_buffers 4 16k;
proxy_busy_buffers_size 32k;
proxy_set_header Connection "";
proxy_set_header Content-Length "";
proxy_set_header Host %(door)s;
proxy_set_header X-Forwarded-Method $request_method;
proxy_set_header X-Forwarded-Uri $request_uri;
%(address)s
%(asked)s"""
_ADDRESS: Final = """\
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Proto %(scheme)s;
proxy_set_header X-Forwarded-Host %(netloc)s;"""
_LISTENING: Final = """\
listen %(port)s%(ssl)s;
listen [::]:%(port)s%(ssl)s;
server_name %(host)s;
server_tokens off;
"""
_TLS: Final = """\
ssl_certificate "%(certificate)s";
ssl_certificate_key "%(key)s";
ssl_protocols TLSv1.2 TLSv1.3;
ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
"""
_WITH_QUESTIONS: Final = (*identity_headers.FROM_CLIENTS, "Origin", "Access-Control-Request-Method", probe.HEADER)
_KIND: Final = (  # of the client's request, by which the refusal is chosen
    *("Accept", "Accept-Language", "User-Agent", "Referer", "Content-Type", "X-Requested-With"),
    *("Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-Fetch-Site", "Sec-Fetch-User"),
)


def rendered(apps: Sequence[App], door: str, *, whole: bool) -> str:
    """Return what goes into the server of each app, or whole servers. `door` is that of a `door.listen`."""
    return "\n".join(_file(app, door, whole=whole) for app in apps)


def _file(app: App, door: str, *, whole: bool) -> str:
    words = {"app": app.name, "prefix": f"vestibule_{app.name.replace('-', '_')}", "door": door, **_upstream(app)}
    words |= {"origin": app.address.origin, "scheme": app.address.scheme, "netloc": app.address.netloc}
    words["host"] = app.address.host
    words["port"] = str(app.address.port)
    parts = words | {"address": indent(_ADDRESS % words, "    "), "question": indent(_question(words), "    ")}
    server = _SERVER % (parts | _of_headers(app))
    if whole:
        return f"{_HTTP % words}server {{\n{indent(_listening(app) + server, '    ')}}}\n"
    return (_HTTP + "\n" + _PART) % words + server


def _upstream(app: App) -> dict[str, str]:
    """Return the upstream. A scheme that both ways have stands outside of the variable: gixy reads it there."""
    found = cast("PublicAddress", parse_origin(app.upstream))
    of_app, of_door, of_both = ("https://", "http://", "") if found.is_https else ("", "", "http://")
    return {"upstream": f"{found.host}:{found.port}", "of_app": of_app, "of_door": of_door, "of_both": of_both}


def _question(words: Mapping[str, str]) -> str:
    asked = "\n".join(_set(name, f"$http_{_lower(name)}") for name in _WITH_QUESTIONS)
    return _QUESTION % {**words, "address": _ADDRESS % words, "asked": asked}


def _of_headers(app: App) -> dict[str, str]:
    """Return the lines about headers: taken from the answer, given to the app, removed, and told with a refusal."""
    answered = (*astuple(app.headers), *identity_headers.FROM_CLIENTS)
    kept = identity_headers.SET_BY_NGINX | {name.lower() for name in answered}
    removed = (name for name in identity_headers.removed(app.headers) if name.lower() not in kept)
    return {
        "taken": "\n".join(f"auth_request_set {_variable(name)} $upstream_http_{_lower(name)};" for name in answered),
        "given": _lines(_set(name, _variable(name)) for name in answered),
        "removed": _lines(_set(name, '""') for name in removed),
        "kind": _lines(_set(name, f"$http_{_lower(name)}") for name in _KIND),
    }


def _listening(app: App) -> str:
    host, tls = app.address.host, app.address.is_https
    words = {"host": host, "port": app.address.port, "ssl": " ssl" if tls else ""}
    words["certificate"] = app.certificate or f"/etc/ssl/{host}/fullchain.pem"
    words["key"] = app.certificate_key or f"/etc/ssl/{host}/privkey.pem"
    return (_LISTENING + (_TLS if tls else "") + "\n") % words


def _variable(header: str) -> str:
    return f"$vestibule_{_lower(header)}"


def _lower(header: str) -> str:
    return header.lower().replace("-", "_")


def _set(header: str, value: str) -> str:
    return f"proxy_set_header {header} {value};"


def _lines(lines: Iterable[str]) -> str:
    return indent("\n".join(lines), "    ")
