"""Addresses and paths among the settings: the public origin, listeners, trusted networks, domains, files."""

import ipaddress
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from service.access import public_address
from service.access.public_address import Flaw
from service.listeners import Listener
from service.settings.kinds import InvalidValue, Kind, listing, text

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# As wide as the widest private range (RFC 1918, RFC 4193): clients in a wider one could forge the address that their
# attempts are counted under.
_WIDEST: Final = {4: 8, 6: 7}
_FLAWS: Final = {
    Flaw.SCHEME: "must begin with https:// (or, on this machine alone, with http://)",
    Flaw.USER_INFORMATION: "must not contain a user name or a password: write scheme, host and port only",
    Flaw.HOST: "has no valid host: write https://login.example.org",
    Flaw.NOT_ASCII: "must spell its host in ASCII, as browsers send it: xn--…",
    Flaw.PORT: "has no valid port: write one from 1 to 65535, or none",
    Flaw.MORE_THAN_AN_ORIGIN: "must end after the host or the port: no path, no query, no fragment",
    Flaw.PLAIN_HTTP: (
        "is plain http, which is for localhost, 127.0.0.1 and [::1] only, because passwords would cross the network "
        "readable: write https://, and give nginx a certificate (deploy/tls) or keep an existing TLS proxy in front"
    ),
}
# co.uk, com.au, or.jp: not the Public Suffix List, only the commonest mistakes.
_REGISTRIES: Final = frozenset({"ac", "co", "com", "edu", "gob", "gov", "gv", "mil", "ne", "net", "nom", "or", "org"})
_COUNTRY_CODE: Final = 2
_LISTENER: Final = re.compile(r"(?P<host>localhost|[0-9.]+|\[[0-9a-f:.]+\]):(?P<port>[0-9]{1,5})", re.ASCII)
_EXAMPLES: Final = "localhost:8080, 0.0.0.0:8080 or [::]:8080 (both families)"
HIGHEST_PORT: Final = 65535
MAXIMUM_LOGO_BYTES: Final = 100_000
# `sun_path` ends at 104 (BSD, macOS) or 108 (Linux) bytes; gunicorn and nginx add nothing to it.
MAXIMUM_SOCKET_BYTES: Final = 100
# What a path would have to escape in nginx's files or in SQLite's address.
_UNQUOTABLE: Final = frozenset("?\"'\\$;{}")
_PNG: Final = b"\x89PNG\r\n\x1a\n"


def origin(value: object) -> str:
    """Return a public address in its one spelling, `https://login.example.org`."""
    address = public_address.parse(text(value))
    if isinstance(address, Flaw):
        raise InvalidValue(_FLAWS[address])
    return address.origin


def _origin_of_list(item: str) -> str:
    try:
        found = origin(item)
    except InvalidValue as refused:
        raise InvalidValue(f'"{item}" {refused}' if "@" not in item else str(refused)) from None
    if "[" in found:
        raise InvalidValue(
            f'"{item}" must have a name or an IPv4 address as its host: browsers are not sent back to IPv6 addresses'
        )
    return found


def cookie_domain(value: object) -> str:
    """Return a domain of at least two labels in lower case; a leading dot, which browsers ignore, is dropped."""
    name = text(value).lower().removeprefix(".")
    address = public_address.parse(f"https://{name}")
    if isinstance(address, Flaw) or address.netloc != name or name.startswith("[") or name[-1].isdigit():
        raise InvalidValue("must be a domain name such as example.org")
    *_, second, last = ["", *name.split(".")]
    if not second:
        raise InvalidValue(
            "must have at least two labels, such as example.org: browsers refuse cookies for a single one"
        )
    if name.count(".") == 1 and len(last) == _COUNTRY_CODE and second in _REGISTRIES:
        raise InvalidValue(
            "is a public registry, like com: browsers refuse cookies for it; put your own label before it"
        )
    return name


def listener(item: str) -> Listener:
    """Return one listener. Host names are refused: nginx would resolve them once, at its start."""
    found = _LISTENER.fullmatch(item.lower())
    quoted = "" if "@" in item else f'"{item}" '  # an address of a store that went into the wrong setting
    if found is None or not 1 <= int(found["port"]) <= HIGHEST_PORT:
        raise InvalidValue(f"{quoted}must be an address and a port: {_EXAMPLES}")
    host = found["host"].strip("[]")
    with suppress(ValueError):
        return Listener(host if host == "localhost" else str(ipaddress.ip_address(host)), int(found["port"]))
    raise InvalidValue(f"{quoted}has no valid IP address: write {_EXAMPLES}")


def _listeners(value: object) -> tuple[Listener, ...]:
    found: tuple[Listener, ...] = _LISTENERS.read(value)
    if not found:
        raise InvalidValue(f"is empty: write {_EXAMPLES}")
    return found


def network(item: str) -> Network:
    """Return the network of proxies that `item` spells. Strict: with host bits set it is not clear what was meant."""
    if "%" in item:
        raise InvalidValue(f'"{item}" names an interface: leave out the % and what follows')
    try:
        given = ipaddress.ip_interface(item)
    except ValueError:
        raise InvalidValue(f'"{item}" is not a network: write 10.0.0.0/8, 2001:db8::/32 or a single address') from None
    found: Network = given.network
    if found.prefixlen < _WIDEST[found.version]:
        raise InvalidValue(
            f'"{item}" is so wide that clients in it could forge their address: list your own proxies only'
        )
    if isinstance(given, ipaddress.IPv6Interface) and given.ip.ipv4_mapped:
        raise InvalidValue(
            f'"{item}" is an IPv4 network written as IPv6: write it as IPv4, such as {given.ip.ipv4_mapped}'
        )
    if given.ip != found.network_address:
        raise InvalidValue(f'"{item}" has bits set behind the prefix: write {found}')
    return found


def path(value: object) -> Path:
    """Return an absolute path: a relative one would mean another place to each command that is run elsewhere."""
    found = Path(text(value))
    if not found.is_absolute():
        raise InvalidValue(f"must be an absolute path{_absolute(found)}")
    if _UNQUOTABLE & set(str(found)):
        raise InvalidValue("must be a path without any of " + " ".join(sorted(_UNQUOTABLE)))
    return found


def _absolute(relative: Path) -> str:
    """Return what to write for a relative path, where that can be said."""
    if "@" in str(relative):  # the address of a store in the wrong setting, password and all
        return ""
    try:
        return f": write {relative.expanduser().absolute()}"
    except (OSError, RuntimeError):  # no working directory, or no user of that name
        return ""


def file(value: object) -> Path:
    """Return the absolute path of an existing file."""
    found = Path(text(value))
    try:
        is_file = found.is_absolute() and found.is_file()
    except OSError:  # a directory above that may not be searched, a name too long
        is_file = False
    if not is_file:
        raise InvalidValue("must be the absolute path of an existing file")
    return found


def socket(value: object) -> Path:
    """Return the absolute path of a unix socket."""
    found = path(value)
    length = len(bytes(found))
    if length > MAXIMUM_SOCKET_BYTES:
        raise InvalidValue(
            f"is {length} bytes long, and the path of a socket has at most {MAXIMUM_SOCKET_BYTES}: choose a shorter one"
        )
    return found


def logo(value: object) -> Path:
    """Return the path of an SVG or PNG file that can be read and is small enough for every first visit."""
    found = path(value)
    if found.suffix.lower() not in {".svg", ".png"}:
        raise InvalidValue("must be the path of a file that ends in .svg or .png")
    try:
        with found.open("rb") as opened:
            content = opened.read(MAXIMUM_LOGO_BYTES + 1)
    except OSError as failed:
        raise InvalidValue(f"cannot be read ({failed.strerror}): name a file that the service may read") from None
    if len(content) > MAXIMUM_LOGO_BYTES:
        raise InvalidValue(f"must be a file of at most {MAXIMUM_LOGO_BYTES // 1000} kB: make the image smaller")
    if not (content.startswith(_PNG) if found.suffix.lower() == ".png" else b"<svg" in content):
        raise InvalidValue(f"does not contain an image in {found.suffix[1:].upper()} format: export it again")
    return found


PUBLIC: Final = Kind("an address such as https://login.example.org", origin)
ORIGINS: Final = listing("a list of addresses such as https://wiki.example.org", _origin_of_list)
NETWORKS: Final = listing("a list of networks such as 10.0.0.0/8", network)
_LISTENERS: Final = listing(f"a list of addresses and ports such as {_EXAMPLES}", listener)
LISTENERS: Final = Kind(_LISTENERS.words, _listeners, _LISTENERS.write, is_list=True)
DOMAIN: Final = Kind("a domain name such as example.org", cookie_domain)
PATH: Final = Kind("an absolute path", path)
SOCKET: Final = Kind("the absolute path of a socket", socket)
LOGO: Final = Kind("the path of an SVG or PNG file of at most 100 kB", logo)
