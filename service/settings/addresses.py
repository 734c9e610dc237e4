"""Addresses among the settings: the public origin, trusted networks, the database, Redis.

Addresses of stores carry passwords: what is said about one never quotes it, and what is shown of one is put
together from the parts that are no secret.
"""

import ipaddress
import re
from typing import Final

from service.access import public_address
from service.access.public_address import Flaw
from service.settings.kinds import Kind, Unfit, listing, text
from service.settings.secret import Secret

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# As wide as the widest private range (RFC 1918, RFC 4193). Whoever a wider one takes in could write the address
# that they want to be counted under.
_WIDEST: Final = {4: 8, 6: 7}
_FLAWS: Final = {
    Flaw.SCHEME: "must begin with https:// (or, on this machine alone, with http://)",
    Flaw.USER_INFORMATION: "must not hold a user name or a password: write scheme, host and port only",
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
# What SQLAlchemy reads: the password ends at the @, whatever else it holds.
_DATABASE: Final = re.compile(
    r"(?P<scheme>postgres(?:ql)?(?:\+psycopg)?)://(?:(?P<user>[^:/@]*)(?::[^@]*)?@)?"
    r"(?P<host>\[[0-9a-fA-F:.]+\]|[^:/?#@\[\],]*)(?::(?P<port>[0-9]{1,5}))?/(?P<name>[^/?#@]+)(?P<query>\?[^@]*)?"
)
_SQLITE: Final = re.compile(r"sqlite:///(?P<path>/[^?#]*[^?#/])")
_REDIS: Final = re.compile(
    r"(?P<scheme>rediss?|valkeys?)://(?:(?P<user>[^:/?#@]*)(?::[^/?#@]*)?@)?"
    r"(?P<host>\[[0-9a-fA-F:.]+\]|[^:/?#@\[\],]+)(?::(?P<port>[0-9]{1,5}))?(?P<name>/[0-9]*)?"
)
_REDIS_SOCKET: Final = re.compile(
    r"(?P<scheme>redis\+unix|unix)://(?:(?P<user>[^:/?#@]*)(?::[^/?#@]*)?@)?(?P<name>/[^?#@]+)(?P<query>\?db=[0-9]+)?"
)
_CANONICAL_SCHEME: Final = {"valkey": "redis", "valkeys": "rediss", "unix": "redis+unix"}


def origin(value: object) -> str:
    """Return a public address in its one spelling, `https://login.example.org`."""
    address = public_address.parse(text(value))
    if isinstance(address, Flaw):
        raise Unfit(_FLAWS[address])
    return address.origin


def _origin_of_list(item: str) -> str:
    try:
        found = origin(item)
    except Unfit as refused:
        raise Unfit(f'"{item}" {refused}' if "@" not in item else str(refused)) from None
    if "[" in found:
        raise Unfit(f'"{item}" must have a name or an IPv4 address as its host: nobody is sent back to IPv6 addresses')
    return found


def cookie_domain(value: object) -> str:
    """Return a domain of at least two labels in lower case; a leading dot, which browsers ignore, is dropped."""
    name = text(value).lower().removeprefix(".")
    address = public_address.parse(f"https://{name}")
    if isinstance(address, Flaw) or address.netloc != name or name.startswith("[") or name[-1].isdigit():
        raise Unfit("must be a domain name such as example.org")
    *_, second, last = ["", *name.split(".")]
    if not second:
        raise Unfit("must have at least two labels, such as example.org: browsers refuse cookies for a single one")
    if name.count(".") == 1 and len(last) == _COUNTRY_CODE and second in _REGISTRIES:
        raise Unfit("is where others register their names, too: browsers refuse cookies for it; add your own label")
    return name


def network(item: str) -> Network:
    """Return the network of proxies that `item` spells. Strict: with host bits set it is not clear what was meant."""
    if "%" in item:
        raise Unfit(f'"{item}" names an interface: leave out the % and what follows')
    try:
        given = ipaddress.ip_interface(item)
    except ValueError:
        raise Unfit(f'"{item}" is no network: write 10.0.0.0/8, 2001:db8::/32 or a single address') from None
    found: Network = given.network
    if found.prefixlen < _WIDEST[found.version]:
        raise Unfit(f'"{item}" is so wide that anybody could forge their address: list your own proxies only')
    if isinstance(given, ipaddress.IPv6Interface) and given.ip.ipv4_mapped:
        raise Unfit(f'"{item}" is an IPv4 network in IPv6 clothes: write it as IPv4, such as {given.ip.ipv4_mapped}')
    if given.ip != found.network_address:
        raise Unfit(f'"{item}" has bits set behind the prefix: write {found}')
    return found


def database(value: object) -> Secret:
    """Return the address for SQLAlchemy: `postgresql+psycopg://…` or `sqlite:////absolute/path`."""
    address = text(value)
    if _SQLITE.fullmatch(address):
        return Secret(address)
    if address.lower().startswith("sqlite"):
        raise Unfit(
            "must name a file by its absolute path, without parameters: sqlite:////var/lib/vestibule/main.sqlite3"
        )
    if not _DATABASE.fullmatch(address):
        raise Unfit("must look like postgresql://user:password@host:5432/name (an @ in the password is written %40)")
    return Secret("postgresql+psycopg://" + address.partition("://")[2])


def redis(value: object) -> Secret:
    """Return the address in the scheme that redis-py and limits know; Valkey speaks the same protocol."""
    address = text(value)
    if not _REDIS.fullmatch(address) and not _REDIS_SOCKET.fullmatch(address):
        raise Unfit(
            "must look like redis://:password@host:6379/0, rediss://… (TLS) or redis+unix:///path/to/socket "
            "(in the password @ / ? # are written %40 %2F %3F %23)"
        )
    scheme, _, rest = address.partition("://")
    return Secret(f"{_CANONICAL_SCHEME.get(scheme, scheme)}://{rest}")


def shown(address: Secret) -> str:
    """Return an address with `***` for everything between the user and the host, and without parameters."""
    clear = address.reveal()
    found = next(filter(None, (p.fullmatch(clear) for p in (_DATABASE, _REDIS, _REDIS_SOCKET))), None)
    if found is None:
        return clear if _SQLITE.fullmatch(clear) else "(hidden)"
    parts = found.groupdict("")
    user = f"{parts['user']}:***@" if found["user"] is not None else ""
    port = f":{parts['port']}" if parts.get("port") else ""
    slash = "/" if parts["name"] and not parts["name"].startswith("/") else ""
    return f"{parts['scheme']}://{user}{parts.get('host', '')}{port}{slash}{parts['name']}"


PUBLIC: Final = Kind("an address such as https://login.example.org", origin)
ORIGINS: Final = listing("a list of addresses such as https://wiki.example.org", _origin_of_list)
NETWORKS: Final = listing("a list of networks such as 10.0.0.0/8", network)
DOMAIN: Final = Kind("a domain name such as example.org", cookie_domain)
DATABASE: Final = Kind("an address", database, shown, is_secret=True)
REDIS: Final = Kind("an address", redis, shown, is_secret=True)
