"""What a proxy says about the request that it asks about. No other module reads these headers.

nginx names the app's address from its own file (X-Original-URL); Caddy and Traefik send X-Forwarded-*, and reach the
service only through a listener of nginx's that removes X-Original-*. What is missing, doubled or contradictory is no
original request, and is refused.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final
from wsgiref.types import WSGIEnvironment

from service.access.public_address import Flaw, parse_origin

_METHOD: Final = re.compile(r"[A-Z][A-Z-]{0,31}", re.ASCII)
_TARGET: Final = re.compile(r"/[\x21-\x7e]*", re.ASCII)
_URL: Final = re.compile(r"(https?://[^/?#,\s]+)(/[\x21-\x7e]*)", re.ASCII)
# gunicorn joins headers of one name with a comma: the end of one and the beginning of another. A query may have both.
_DOUBLED_URL: Final = re.compile(r",\s*https?://", re.IGNORECASE)
_DOUBLED_TARGET: Final = re.compile(r",\s*/")
_SCHEMES: Final = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


_origin_of: Final = lru_cache(200)(parse_origin)  # nginx names few


class Source(StrEnum):
    """Who asks: our nginx, or another proxy."""

    NGINX = "nginx"
    PROXY = "proxy"


@dataclass(frozen=True, slots=True)
class Original:
    """A request as it was sent to the proxy; `origin` and `target` (path and query) make its URL.

    `address` is the client's, `rules` the hash of the apps from which nginx's files were made.
    """

    source: Source
    method: str
    origin: str
    target: str
    address: str
    cookie: str
    authorization: str
    is_preflight: bool
    rules: str

    @property
    def path(self) -> str:
        """The path as it was sent, without the query. Of what may be two targets it is all: a doubtful path."""
        may_be_two = self.source is Source.PROXY and _DOUBLED_TARGET.search(self.target)
        return self.target if may_be_two else self.target.partition("?")[0]

    @property
    def url(self) -> str:
        return self.origin + self.target


def original_of(environ: WSGIEnvironment) -> Original | None:
    """Return the request that the proxy asks about; None where it does not say, or not in one way."""
    get = environ.get
    url, method = get("HTTP_X_ORIGINAL_URL"), get("HTTP_X_ORIGINAL_METHOD")
    if url is None and method is None:
        source, method, address = Source.PROXY, get("HTTP_X_FORWARDED_METHOD"), _forwarded(environ)
    elif environ.keys() & {"HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_URI", "HTTP_X_FORWARDED_METHOD"}:
        return None
    else:
        source, address = Source.NGINX, _split(url or "")
    if address is None or not _METHOD.fullmatch(method or ""):
        return None
    return Original(
        source,
        method or "",
        *address,
        address=get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip(),
        cookie=get("HTTP_COOKIE", ""),
        authorization=get("HTTP_AUTHORIZATION", ""),
        is_preflight=method == "OPTIONS"
        and "HTTP_ORIGIN" in environ
        and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ,
        rules=get("HTTP_VESTIBULE_RULES", ""),
    )


def _split(url: str) -> tuple[str, str] | None:
    """Return the origin in its one spelling, and the target."""
    found = _URL.fullmatch(url)
    if found is None or _DOUBLED_URL.search(url.partition("?")[0]):
        return None
    origin = _origin_of(found[1])
    return None if isinstance(origin, Flaw) else (origin.origin, found[2])


def _forwarded(environ: WSGIEnvironment) -> tuple[str, str] | None:
    scheme = _SCHEMES.get(environ.get("HTTP_X_FORWARDED_PROTO", "").lower())
    host, target = environ.get("HTTP_X_FORWARDED_HOST", ""), environ.get("HTTP_X_FORWARDED_URI", "")
    if scheme is None or not _TARGET.fullmatch(target) or _DOUBLED_TARGET.search(target.partition("?")[0]):
        return None
    return _split(f"{scheme}://{host}{target}")
