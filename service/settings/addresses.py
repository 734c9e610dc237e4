"""Addresses and paths among the settings: the public origin, listeners, trusted networks, domains, files."""

import ipaddress
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from service import mounts, state_dir
from service.access import public_address
from service.access.public_address import Flaw
from service.listeners import Listener
from service.login.networks import Network
from service.mounts import MAXIMUM_SOCKET_BYTES
from service.settings.kinds import InvalidValue, Kind, listing, text

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
_LISTENER: Final = re.compile(r"(?P<host>localhost|[0-9.]+|\[[0-9a-f:.]+\]):(?P<port>[0-9]{1,5})", re.ASCII)
_EXAMPLES: Final = "localhost:8080, 0.0.0.0:8080 or [::]:8080 (both families)"
MAXIMUM_LOGO_BYTES: Final = 100_000
# What a path would have to escape in nginx's files or in SQLite's address.
_UNQUOTABLE: Final = frozenset("?\"'\\$;{}")


def origin(value: object) -> str:
    """Return a public address in its one spelling, `https://login.example.org`."""
    address = public_address.parse(text(value))
    if isinstance(address, Flaw):
        raise InvalidValue(_FLAWS[address])
    return address.origin


def return_origin(item: object) -> str:
    """Return an address that people can be sent back to."""
    found = origin(item)
    if "[" in found:
        raise InvalidValue(
            "must have a name or an IPv4 address as its host: browsers are not sent back to IPv6 addresses"
        )
    return found


def cookie_domain(value: object) -> str:
    """Return a domain of at least two labels in lower case; a leading dot, which browsers ignore, is dropped."""
    name = text(value).lower().removeprefix(".")
    address = public_address.parse(f"https://{name}")
    is_name = not isinstance(address, Flaw) and address.netloc == name and not (name[0] == "[" or name[-1].isdigit())
    if not is_name or "." not in name:  # browsers refuse cookies for a single label
        raise InvalidValue("must be a domain name of at least two labels, such as example.org")
    return name


def listener(item: str) -> Listener:
    """Return one listener. Host names are refused: nginx would resolve them once, at its start."""
    found = _LISTENER.fullmatch(item.lower())
    port = public_address.parsed_port(found["port"]) if found else None
    if found and port:
        host = found["host"].strip("[]")
        with suppress(ValueError):
            return Listener(host if host == "localhost" else str(ipaddress.ip_address(host)), port)
    raise InvalidValue(f"must be localhost or an IP address, and a port: {_EXAMPLES}")


def resolver(item: str) -> str:
    """Return the IP address of a DNS server as nginx writes it."""
    try:
        ip = ipaddress.ip_address(item.strip("[]"))
    except ValueError:
        raise InvalidValue("is not an IP address: write 192.0.2.53 or 2001:db8::53") from None
    return f"[{ip}]" if ip.version == 6 else str(ip)  # noqa: PLR2004


def network(item: str) -> Network:
    """Return the network that `item` spells. Strict: with host bits set it is not clear what was meant."""
    try:
        given = ipaddress.ip_interface(item)
    except ValueError:
        raise InvalidValue("is not a network: write 10.0.0.0/8, 2001:db8::/32 or a single address") from None
    if isinstance(given, ipaddress.IPv6Interface) and (given.scope_id or given.ipv4_mapped):
        raise InvalidValue("must have no interface after a %, and IPv4 is written as IPv4, such as 10.0.0.0/8")
    found: Network = given.network
    if given.ip != found.network_address:
        raise InvalidValue(f"has bits set after the prefix: write {found}")
    return found


def _network_of_proxies(item: str) -> Network:
    found = network(item)
    if found.prefixlen < _WIDEST[found.version]:
        raise InvalidValue("is so wide that clients in it could forge their address: list your own proxies only")
    return found


def path(value: object) -> Path:
    """Return an absolute path: a relative one would mean another place to each command that is run elsewhere."""
    found = Path(text(value))
    if not found.is_absolute():
        raise InvalidValue("must be an absolute path, which begins with /")
    if _UNQUOTABLE & set(str(found)):
        raise InvalidValue("must be a path without any of " + " ".join(sorted(_UNQUOTABLE)))
    return found


def file(value: object) -> Path:
    """Return the absolute path of an existing file."""
    found = Path(text(value))
    if not (found.is_absolute() and os.path.isfile(found)):  # noqa: PTH113 - Path.is_file raises below a closed directory
        raise InvalidValue("must be the absolute path of an existing file")
    return found


def socket(value: object) -> Path:
    found = path(value)
    if len(bytes(found)) > MAXIMUM_SOCKET_BYTES:
        raise InvalidValue(f"must have at most {MAXIMUM_SOCKET_BYTES} bytes (it has {len(bytes(found))})")
    return _of_ours(found.parent, mounts.socket_directory) / found.name


def state(value: object) -> Path:
    return _of_ours(path(value), mounts.state_directory)


def _of_ours(given: Path, below: Callable[[str], str]) -> Path:
    """Return the directory, or the one of our own below a mount: no other user may have made that, or a link to it."""
    own = Path(below(str(given)))
    if own != given and (fault := state_dir.fault_of_owner(given) or state_dir.fault_of_owner(own)):
        raise InvalidValue(f"cannot be used: {fault}")
    return own


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
    return found


PUBLIC: Final = Kind("an address such as https://login.example.org", origin)
ORIGINS: Final = listing("a list of addresses such as https://wiki.example.org", return_origin)
NETWORKS: Final = listing("a list of networks such as 10.0.0.0/8", _network_of_proxies)
LISTENERS: Final = listing(f"a list of addresses and ports such as {_EXAMPLES}", listener, may_be_empty=False)
DOOR_LISTENERS: Final = listing(f"a list of addresses and ports such as {_EXAMPLES}", listener)
RESOLVERS: Final = listing("a list of IP addresses such as 192.0.2.53", resolver)
DOMAIN: Final = Kind("a domain name such as example.org", cookie_domain)
PATH: Final = Kind("an absolute path", path)
_BELOW: Final = "(where root owns it and other users may write to it, `vestibule-%s` below it is used)"
STATE: Final = Kind(f"the absolute path of a directory {_BELOW % 'state'}", state)
SOCKET: Final = Kind(
    f"the absolute path of a socket, at most {MAXIMUM_SOCKET_BYTES} bytes long, in a directory {_BELOW % 'socket'}",
    socket,
)
SOCKETS: Final = listing("a list of absolute paths of sockets", socket, may_repeat=False)
LOGO: Final = Kind("the path of an SVG or PNG file of at most 100 kB", logo)
