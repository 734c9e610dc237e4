"""The public address: the one scheme, host and port under which browsers reach the service.

Cookie names, redirects, HSTS and the Host check follow from it alone, never from a request's Host header.
"""

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
# Where plain http stays on the machine, and where browsers treat it as secure (W3C Secure Contexts, 3.1).
LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
HIGHEST_PORT: Final = 65535
_LONGEST_HOST: Final = 253
_URL: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<userinfo>[^/?#]*@)?(?P<host>\[[^\]/?#@]*\]|[^:/?#@\[\]]*)"
    r"(?::(?P<port>[^/?#@]*))?(?P<rest>[/?#].*)?",
    re.IGNORECASE | re.DOTALL,
)
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
# A last label that is a number makes browsers read the whole host as an IPv4 address (WHATWG URL, 3.5).
_ENDS_IN_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.ASCII)


class Flaw(StrEnum):
    SCHEME = "scheme"
    USER_INFORMATION = "user-information"
    HOST = "host"
    NOT_ASCII = "not-ascii"
    PORT = "port"
    MORE_THAN_AN_ORIGIN = "more-than-an-origin"
    PLAIN_HTTP = "plain-http"


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """An origin in its one spelling (RFC 6454, 6.2): lower case; `host` keeps the brackets of IPv6."""

    scheme: str
    host: str
    port: int

    @property
    def netloc(self) -> str:
        """The Host header of a browser that asks for this address: a default port is left out."""
        return self.host if self.port == DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """The Origin header of a page of this address."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def is_https(self) -> bool:
        """Whether browsers connect by TLS; else the address is on this machine."""
        return self.scheme == "https"


def parse(text: str) -> PublicAddress | Flaw:
    """Return the address that `text` spells, or its first flaw. Nothing is guessed or repaired."""
    found = parse_origin(text)
    is_exposed = isinstance(found, PublicAddress) and found.scheme == "http" and found.host not in LOCAL_HOSTS
    return Flaw.PLAIN_HTTP if is_exposed else found


def parse_origin(text: str) -> PublicAddress | Flaw:
    """Return the origin that `text` spells, also one of plain http on another machine."""
    found = _URL.fullmatch(text)
    if found is None or found["scheme"].lower() not in DEFAULT_PORTS:
        return Flaw.SCHEME
    if found["userinfo"] is not None:
        return Flaw.USER_INFORMATION
    if found["rest"] not in (None, "/"):
        return Flaw.MORE_THAN_AN_ORIGIN
    return _address(found["scheme"].lower(), found["host"], found["port"])


def _address(scheme: str, host_text: str, port_text: str | None) -> PublicAddress | Flaw:
    if not host_text.isascii():
        return Flaw.NOT_ASCII
    host, port = _host(host_text.lower()), DEFAULT_PORTS[scheme] if port_text is None else parsed_port(port_text)
    if host is None:
        return Flaw.HOST
    if port is None:
        return Flaw.PORT
    return PublicAddress(scheme, host, port)


def _host(text: str) -> str | None:
    """Return a name, an IPv4 address or a bracketed IPv6 address in its one spelling."""
    try:
        if text.startswith("["):
            return None if "%" in text else f"[{ipaddress.IPv6Address(text[1:-1])}]"
        if _ENDS_IN_NUMBER.fullmatch(text):
            return str(ipaddress.IPv4Address(text))
    except ValueError:
        return None
    return text if len(text) <= _LONGEST_HOST and _NAME.fullmatch(text) else None


def parsed_port(text: str) -> int | None:
    """Return the port that a text of decimal digits spells; None for any other text."""
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII):
        return None
    return int(text) if 1 <= int(text) <= HIGHEST_PORT else None
