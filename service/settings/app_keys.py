"""The keys of an app's file, of its headers and of its rules: how the value of each is read.

Readers refuse as those of settings do.
"""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final, NoReturn, cast

from service.access import public_address
from service.access.paths import is_rule_path
from service.access.public_address import Flaw, PublicAddress
from service.access.rules import Allow
from service.login.accounts import USERNAME_CHARACTERS, canonical_group, canonical_username
from service.settings import addresses, kinds
from service.settings.header_names import header_name
from service.settings.kinds import DAY, MINUTE, InvalidValue, listing, text

Readers = Mapping[str, Callable[[object], Any]]
# RFC 9110, 5789 (PATCH), 4918 (WebDAV), 3253, 3744, 4791 and 5323.
_METHODS: Final = (
    *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
    *("PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK"),
    *("REPORT", "ACL", "MKCALENDAR", "SEARCH"),
)
_SECOND_FACTOR: Final = re.compile("factor|[m2]fa|otp|passkey|webauthn", re.IGNORECASE)
_NO_SECOND_FACTORS: Final = "asks for a second factor, and there are none yet: remove it"


def _address(value: object) -> PublicAddress:
    return cast("PublicAddress", public_address.parse(addresses.return_origin(value)))


def _upstream(value: object) -> str:
    found = public_address.parse_origin(text(value))
    if isinstance(found, Flaw):
        raise InvalidValue("must be http:// or https://, a host and a port, no more: write http://127.0.0.1:3000")
    return found.origin


def _path(value: object) -> str:
    found = text(value)
    if not is_rule_path(found):
        raise InvalidValue(
            "must be whole segments that every program reads alike: write /admin, with no / at the end, nothing "
            "percent-encoded, no // and no dot segments, and none of ; \\ ? #"
        )
    if "*" in found:
        raise InvalidValue("has a *, and there are no patterns: a path covers all pages below it, so write /admin")
    return found


def _allow(value: object) -> Allow:
    word = text(value)
    if _SECOND_FACTOR.search(word):
        raise InvalidValue(_NO_SECOND_FACTORS)
    if word not in list(Allow):
        raise InvalidValue('must be "signed-in" or "everyone" (some people alone: users and groups in place of allow)')
    return Allow(word)


def _username(item: str) -> str:
    if (found := canonical_username(item)) is None:
        raise InvalidValue(f"is not a username: it may have {USERNAME_CHARACTERS}")
    return found


def _group(item: str) -> str:
    if (found := canonical_group(item)) is None:
        raise InvalidValue("is not the name of a group: it may have a to z, 0 to 9 and . _ -")
    return found


def _method(item: str) -> str:
    if item not in _METHODS:
        near = get_close_matches(item.upper(), _METHODS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there may be {', '.join(_METHODS)}"
        raise InvalidValue(f"is not a method: {hint}")
    return item


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidValue("must be true or false, without quotes")
    return value


def _file(value: object) -> str:
    return str(addresses.path(value))


APP: Final[Readers] = {
    "address": _address,
    "upstream": _upstream,
    "title": kinds.name,
    "app_passwords": _flag,
    "preflight": _flag,
    "own_sessions": _flag,
    "certificate": _file,
    "certificate_key": _file,
}
HEADERS: Final[Readers] = dict.fromkeys(("user", "name", "email", "groups"), header_name)
_TABLES: Final = {"rules": "[[rules]]", "headers": "[headers]"}  # of an app
RULE: Final[Readers] = {
    "path": _path,
    "allow": _allow,
    "users": listing('usernames, such as ["alice"]', _username, may_be_empty=False).read,
    "groups": listing('groups, such as ["ops"]', _group, may_be_empty=False).read,
    "methods": listing('methods, such as ["GET", "POST"]', _method, may_be_empty=False).read,
    "networks": listing('networks, such as ["192.0.2.0/24"]', addresses.network, may_be_empty=False).read,
    "fresh": kinds.duration(MINUTE, 400 * DAY).read,
    "report_only": _flag,
}


def refuse_unknown(key: str, readers: Readers) -> NoReturn:
    """Refuse a key that there is not, or not in this place, and say what would be right."""
    if _SECOND_FACTOR.search(key):
        raise InvalidValue(_NO_SECOND_FACTORS)
    if key in APP:
        raise InvalidValue("belongs to the app: write it above the first [[rules]] and [headers]")
    if key in RULE:
        raise InvalidValue("belongs to a rule: write it below a line [[rules]]")
    if key in HEADERS:
        raise InvalidValue("is a header's: write it below a line [headers]")
    near = get_close_matches(key.lower(), (*readers, *_TABLES) if readers is APP else readers, n=1)
    hint = f"did you mean {_TABLES.get(near[0], near[0])}?" if near else f"there may be {', '.join(readers)}"
    raise InvalidValue(f"is unknown: {hint}")
