"""Addresses of the stores, the database and Redis, in the one spelling that their drivers read.

An address is taken apart, every part is checked, and the parts are put together with each reserved character
percent-encoded: no driver can refuse the address, or read it otherwise. A refusal never quotes it: it may hold a
password.
"""

import re
from contextlib import suppress
from difflib import get_close_matches
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import quote, unquote, urlencode

from service.access.public_address import HIGHEST_PORT, parsed_port
from service.settings.addresses import file
from service.settings.kinds import InvalidValue, Kind, Secret, text

_ENCODE: Final = (
    "percent-encode these characters in the user name and the password: "
    "% as %25, / as %2F, ? as %3F, # as %23, @ as %40, : as %3A, [ as %5B, ] as %5D"
)
_DATABASE_FORM: Final = "postgresql://user:password@host:5432/name or postgresql://user@%2Fvar%2Frun%2Fpostgresql/name"
_REDIS_FORM: Final = "redis://user:password@host:6379/0, rediss://… (TLS) or redis+unix:///path/to/socket?db=0"
_PARTS: Final = (
    r"(?P<scheme>%s)://(?P<login>[^:/?#@]*(?::%s)?@)?(?P<host>\[[^\]@]*\]|[^:/?#@\[\]]*)(?::(?P<port>[^/?#@]*))?"
    r"(?P<name>%s)(?:\?(?P<options>[^#@]*))?"
)
_DATABASE: Final = re.compile(_PARTS % (r"postgres(?:ql(?:\+psycopg)?)?", "[^@]*", "/[^/?#@]+"), re.IGNORECASE)
# More than one part could end at a / or ? of Redis' address: redis://host:6379/0?ssl_ca_certs=/etc/a@b.
_REDIS: Final = re.compile(_PARTS % (r"rediss?|valkeys?|(?:redis\+)?unix", "[^/?#@]*", "(?:/[^?#@]*)?"), re.IGNORECASE)
_SQLITE: Final = re.compile(r"sqlite:///(?P<path>/[^?#]*[^?#/])")
_HOST: Final = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE | re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,5}", re.ASCII)
_POSTGRESQL_FILES: Final = {"sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile"}
# Options of libpq, which checks other values than these itself when it connects.
_POSTGRESQL_VALUES: Final = {
    "sslmode": "disable|allow|prefer|require|verify-ca|verify-full",
    "connect_timeout": "[0-9]+",
}
_POSTGRESQL_OPTIONS: Final = _POSTGRESQL_FILES | {
    *("host", "hostaddr", "port", "user", "password", "application_name", "options", "target_session_attrs"),
    *("connect_timeout", "tcp_user_timeout", "load_balance_hosts", "channel_binding", "require_auth"),
    *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "gssencmode", "krbsrvname"),
    *("sslmode", "sslnegotiation", "sslpassword", "sslcrldir", "ssl_min_protocol_version", "ssl_max_protocol_version"),
}
_TLS_FILES_OF_REDIS: Final = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}


def database(value: object) -> Secret:
    """Return the address for SQLAlchemy: `postgresql+psycopg://…` or `sqlite:////absolute/path`."""
    address = text(value)
    if _SQLITE.fullmatch(address):
        return Secret(address)
    if address.lower().startswith("sqlite"):
        raise InvalidValue("must have the absolute path of a file after sqlite:///, such as sqlite:////srv/v.sqlite3")
    found = _DATABASE.fullmatch(address)
    if found is None:
        raise InvalidValue(f"must look like {_DATABASE_FORM}; {_ENCODE}")
    options = _options(found["options"], _POSTGRESQL_OPTIONS)
    hosts, ports = _servers(found["host"] + (f":{found['port']}" if found["port"] else ""), options)
    if not options.keys().isdisjoint({"host", "port"}):
        raise InvalidValue("has two hosts or two ports: leave out the one after the ?")
    server = ""
    if len(hosts) == 1 and not hosts[0].startswith("/"):
        server = hosts[0] + (ports[0] and f":{ports[0]}")
    else:  # several, and the directory of a unix socket: SQLAlchemy reads them from options only
        options |= {"host": ",".join(each.strip("[]") for each in hosts)}
        options |= {"port": ",".join(ports)} if any(ports) else {}
    return _together("postgresql+psycopg", found, f"{server}/{_encoded(found['name'][1:])}", options)


def _servers(written: str, options: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return the hosts and the ports of `a:1,b:2`; what is not written there is taken out of the options."""
    pairs = re.findall(r"(?:^|,)(\[[^\]]*\]|[^:,]*):?([^,]*)", written)
    hosts, ports = [_decoded(host) for host, _ in pairs], [port for _, port in pairs]
    hosts = hosts if any(hosts) else options.pop("host", "").split(",")
    ports = ports if any(ports) else options.pop("port", "").split(",")
    if len(ports) not in {1, len(hosts)}:
        raise InvalidValue("must have one port for all of its hosts, or one for each")
    is_plain = hosts == [""]
    return [each if is_plain or each.startswith("/") else _host(each) for each in hosts], [
        _port(each) for each in ports
    ]


def redis(value: object) -> Secret:
    """Return the address in the scheme that redis-py and limits know; Valkey speaks the same protocol."""
    found = _REDIS.fullmatch(text(value))
    if found is None:
        raise InvalidValue(f"must look like {_REDIS_FORM}; {_ENCODE}")
    scheme = found["scheme"].lower().replace("valkey", "redis")
    name, port = _decoded(found["name"]), _port(found["port"])
    if scheme.endswith("unix") and len(name) > 1 and not (found["host"] or port):
        options = _options(found["options"], {"db"})
        return _together("redis+unix", found, quote(name), {"db": _database_number(options.get("db", "0"))})
    if scheme.endswith("unix") or not found["host"]:
        raise InvalidValue(f"must look like {_REDIS_FORM}; {_ENCODE}")
    # redis-py decodes an option twice.
    given = _options(found["options"], _TLS_FILES_OF_REDIS if scheme == "rediss" else set())
    server = _host(_decoded(found["host"])) + (port and f":{port}")
    options = {key: quote(each) for key, each in given.items()}
    return _together(scheme, found, f"{server}/{_database_number(name[1:] or '0')}", options)


def _database_number(written: str) -> str:
    if not _NUMBER.fullmatch(written):
        raise InvalidValue("must end in the number of a database, such as /0 (of a socket: ?db=0)")
    return str(int(written))


def shown(address: Secret) -> str:
    """Return an address that was read here, with `***` for its password, and without options."""
    clear = re.sub("(?<=://)([^:/@]*)(:[^/@]*)?@", r"\1:***@", address.reveal()).partition("?")[0]
    return clear if "://" in clear else "(hidden)"


def _together(scheme: str, found: re.Match[str], rest: str, options: dict[str, str]) -> Secret:
    """Return the address: the scheme, the user and the password that were found, the server with the name, options."""
    login = found["login"] or ""
    user, colon, password = login.removesuffix("@").partition(":")
    query = urlencode(options, quote_via=quote)
    return Secret(f"{scheme}://{_encoded(user)}{colon}{_encoded(password)}{login[-1:]}{rest}{query and f'?{query}'}")


def _encoded(part: str) -> str:
    """Return a part of an address with each reserved character percent-encoded."""
    return quote(_decoded(part), safe="")


def _options(written: str | None, known: set[str]) -> dict[str, str]:
    """Return the options after the ?. Their names must be known; those that name a file must name an existing one."""
    found: dict[str, str] = {}
    for option in filter(None, (written or "").split("&")):
        key, _, value = option.partition("=")
        if key not in known or key in found:
            near = get_close_matches(key, known, n=1)
            hint = f" (near {near[0]})" if near else ""
            allowed = ", ".join(sorted(known)) or "none"
            raise InvalidValue(f"has an unknown option, or one twice{hint}: there may be {allowed}")
        found[key] = _decoded(value)
        if not re.fullmatch(allowed := _POSTGRESQL_VALUES.get(key, ".*"), found[key], re.ASCII):
            wanted = "a number of seconds" if key == "connect_timeout" else allowed.replace("|", ", ")
            raise InvalidValue(f"has the option {key}, which must be {wanted}")
        if key in _POSTGRESQL_FILES | _TLS_FILES_OF_REDIS and (key, found[key]) != ("sslrootcert", "system"):
            try:
                file(found[key])
            except InvalidValue as reason:
                raise InvalidValue(f"has the option {key}, which {reason}") from None
    return found


def _decoded(part: str) -> str:
    """Return a part of an address with its percent-encoded characters decoded."""
    clear = unquote(part)
    if re.search("%(?![0-9A-Fa-f]{2})", part) or "\N{REPLACEMENT CHARACTER}" in clear or not clear.isprintable():
        raise InvalidValue("has a % that encodes no printable UTF-8 character: write a plain % as %25, ü as %C3%BC")
    return clear


def _port(written: str | None) -> str:
    if not written:
        return ""
    port = parsed_port(written)
    if port is None:
        raise InvalidValue(f"must have a port from 1 to {HIGHEST_PORT} after the host; {_ENCODE}")
    return str(port)


def _host(host: str) -> str:
    """Return a name, an IPv4 address, or an IPv6 address in brackets."""
    with suppress(ValueError):
        if host.startswith("["):
            return f"[{IPv6Address(host[1:-1])}]"
    if not _HOST.fullmatch(host):
        raise InvalidValue(f"must have a name or an IP address (IPv6 in brackets) as its host; {_ENCODE}")
    return host


DATABASE: Final = Kind("an address", database, shown, is_secret=True)
REDIS: Final = Kind("an address", redis, shown, is_secret=True)
