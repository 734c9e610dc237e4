"""Addresses of the stores, the database and Redis, in the one spelling that their drivers read.

An address is taken apart, every part is judged, and it is put together with each reserved character percent-encoded:
no driver can refuse it, or read it otherwise. It may hold a password: a refusal never quotes it.
"""

import re
from difflib import get_close_matches
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import quote, unquote

from service.settings.addresses import HIGHEST_PORT, file
from service.settings.kinds import InvalidValue, Kind, Secret, text

_ENCODE: Final = (
    "percent-encode these characters in the user name and the password: "
    "% as %25, / as %2F, ? as %3F, # as %23, @ as %40, : as %3A, [ as %5B, ] as %5D"
)
_DATABASE_FORM: Final = (
    "must look like postgresql://user:password@host:5432/name or, for the socket in a directory, "
    f"postgresql://user@%2Fvar%2Frun%2Fpostgresql/name; {_ENCODE}"
)
_REDIS_FORM: Final = (
    "must look like redis://user:password@host:6379/0, rediss://… (TLS) or redis+unix:///path/to/socket?db=0; "
    f"{_ENCODE}"
)
_PARTS: Final = (
    r"(?P<scheme>[a-z+]+)://(?:(?P<user>[^:/?#@]*)(?::(?P<password>%s))?@)?"
    r"(?P<host>\[[^\]@]*\]|[^:/?#@\[\]]*)(?::(?P<port>[^/?#@]*))?(?P<name>/[^?#@]*)?(?:\?(?P<options>[^#@]*))?"
)
_DATABASE: Final = re.compile(_PARTS % "[^@]*", re.IGNORECASE)
# More than one part could end at a / or ? of Redis' address: redis://host:6379/0?ssl_ca_certs=/etc/a@b.
_REDIS: Final = re.compile(_PARTS % "[^/?#@]*", re.IGNORECASE)
_SQLITE: Final = re.compile(r"sqlite:///(?P<path>/[^?#]*[^?#/])")
_HOST: Final = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE | re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,5}", re.ASCII)
_POSTGRESQL_SCHEMES: Final = {"postgres", "postgresql", "postgresql+psycopg"}
_REDIS_SCHEMES: Final = {"redis": "redis", "valkey": "redis", "rediss": "rediss", "valkeys": "rediss"}
_SOCKET_OF_REDIS: Final = "redis+unix"
_POSTGRESQL_FILES: Final = {"sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile"}
# What libpq reads of a connection, and judges itself when it connects.
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
        raise InvalidValue(
            "must be the absolute path of a file after sqlite:///, without options: sqlite:////srv/vestibule.sqlite3"
        )
    found = _DATABASE.fullmatch(address)
    if (
        found is None
        or found["scheme"].lower() not in _POSTGRESQL_SCHEMES
        or not re.fullmatch("/[^/]+", found["name"] or "")
    ):
        raise InvalidValue(_DATABASE_FORM)
    options = _options(found["options"], _POSTGRESQL_OPTIONS, files=_POSTGRESQL_FILES)
    host, port = _decoded(found["host"]) or options.pop("host", ""), _port(found["port"] or options.pop("port", ""))
    if not options.keys().isdisjoint({"host", "port"}):
        raise InvalidValue("has two hosts or two ports: leave out the one behind the ?")
    if host.startswith("/"):  # the directory of a unix socket, which SQLAlchemy reads from an option only
        options |= {"host": host} | ({"port": port} if port else {})
        host = port = ""
    server = (host and _host(host)) + (port and f":{port}")
    name = quote(_decoded(found["name"][1:]), safe="")
    return _together("postgresql+psycopg", found, server, f"/{name}", options)


def redis(value: object) -> Secret:
    """Return the address in the scheme that redis-py and limits know; Valkey speaks the same protocol."""
    found = _REDIS.fullmatch(text(value))
    if found is None:
        raise InvalidValue(_REDIS_FORM)
    scheme, name, port = found["scheme"].lower(), _decoded(found["name"] or ""), _port(found["port"])
    if scheme in {_SOCKET_OF_REDIS, "unix"} and len(name) > 1 and not (found["host"] or port):
        options = _options(found["options"], {"db"}, files=set())
        return _together(_SOCKET_OF_REDIS, found, "", quote(name), {"db": _database_number(options.get("db", "0"))})
    if scheme not in _REDIS_SCHEMES or not found["host"]:
        raise InvalidValue(_REDIS_FORM)
    scheme = _REDIS_SCHEMES[scheme]
    files = _TLS_FILES_OF_REDIS if scheme == "rediss" else set()
    # redis-py decodes an option twice.
    options = {key: quote(each) for key, each in _options(found["options"], files, files=files).items()}
    server = _host(_decoded(found["host"])) + (port and f":{port}")
    return _together(scheme, found, server, "/" + _database_number(name[1:] or "0"), options)


def _database_number(written: str) -> str:
    if not _NUMBER.fullmatch(written):
        raise InvalidValue("must end in the number of a database, such as /0 (of a socket: ?db=0)")
    return str(int(written))


def shown(address: Secret) -> str:
    """Return an address with `***` for a password, and without options."""
    clear = address.reveal()
    found = _REDIS.fullmatch(clear)  # in the spelling of the readers above both patterns mean the same
    if found is None or found["scheme"] not in {"postgresql+psycopg", _SOCKET_OF_REDIS, *_REDIS_SCHEMES.values()}:
        return clear if _SQLITE.fullmatch(clear) else "(hidden)"
    user = f"{found['user']}:***@" if found["user"] is not None else ""
    port = f":{found['port']}" if found["port"] else ""
    return f"{found['scheme']}://{user}{found['host']}{port}{found['name'] or ''}"


def _together(scheme: str, found: re.Match[str], server: str, name: str, options: dict[str, str]) -> Secret:
    user = "" if found["user"] is None else quote(_decoded(found["user"]), safe="")
    password = "" if found["password"] is None else ":" + quote(_decoded(found["password"]), safe="")
    at = "" if found["user"] is None else "@"
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in options.items())
    return Secret(f"{scheme}://{user}{password}{at}{server}{name}{query and f'?{query}'}")


def _options(written: str | None, known: set[str], *, files: set[str]) -> dict[str, str]:
    """Return the options behind the ?, judged by name; those of `files` must name existing ones."""
    found: dict[str, str] = {}
    for option in filter(None, (written or "").split("&")):
        key, _, value = option.partition("=")
        if key not in known or key in found:
            near = get_close_matches(key, known, n=1)
            allowed = ", ".join(sorted(known)) or "none"
            hint = f" (near {near[0]})" if near else ""
            raise InvalidValue(f"has an unknown option, or one twice{hint}: there may be {allowed}")
        found[key] = _decoded(value)
        if key in files and (key, found[key]) != ("sslrootcert", "system"):
            try:
                file(found[key])
            except InvalidValue as reason:
                raise InvalidValue(f"has the option {key}, which {reason}") from None
    return found


def _decoded(part: str) -> str:
    """Return a part of an address with its percent-encoded characters decoded."""
    if re.search("%(?![0-9A-Fa-f]{2})", part):
        raise InvalidValue("has a % that is not followed by two hexadecimal digits: write a plain % as %25")
    try:
        clear = unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise InvalidValue("has a percent-encoded character that is not UTF-8: ü is written %C3%BC") from None
    if not clear.isprintable():
        raise InvalidValue("has a percent-encoded control character: remove it")
    return clear


def _port(written: str | None) -> str:
    if not written:
        return ""
    if not re.fullmatch("[0-9]{1,5}", written, re.ASCII) or not 1 <= int(written) <= HIGHEST_PORT:
        raise InvalidValue(f"must have a port from 1 to {HIGHEST_PORT} after the host; {_ENCODE}")
    return str(int(written))


def _host(host: str) -> str:
    """Return a name, an IPv4 address, or an IPv6 address in brackets."""
    try:
        if host.startswith("["):
            return f"[{IPv6Address(host[1:-1])}]"
    except ValueError:
        raise InvalidValue("has no valid IPv6 address between [ and ]") from None
    if not _HOST.fullmatch(host):
        raise InvalidValue(f"must have one host, a name or an IP address; {_ENCODE}")
    return host


DATABASE: Final = Kind("an address", database, shown, is_secret=True)
REDIS: Final = Kind("an address", redis, shown, is_secret=True)
