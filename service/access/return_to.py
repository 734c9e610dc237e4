"""Where a browser may be sent back to.

A target is never repaired. Its origin and path must match a narrow grammar that all URL parsers read alike (RFC 3986
characters, no dot segments, no empty segments, no user information). Behind `?` or `#` no parser looks for a host, so
the characters that browsers send there raw (URL Standard, 1.3) are kept. The origin is looked up in a closed list, and
the result is put together from the matched parts.

On the origin of an app the path may also have empty segments, `%2F` and `%25`: apps have such addresses, and behind a
host no parser takes them for another one.
"""

import re
from collections.abc import Set as AbstractSet
from typing import Final

from service.access.public_address import DEFAULT_PORTS, PublicAddress

MAXIMUM_LENGTH: Final = 2048
_CHARACTERS: Final = r"A-Za-z0-9._~!$&'()*+,;=:@%\-"
_BEHIND_PATH: Final = r"!$%&'()*+,\-./0-9:;=?@A-Z\[\\\]^_`a-z{|}~"  # printable ASCII without blank " # < >
_TARGET: Final = re.compile(
    rf"""
    (?: (?P<scheme> https? ) :// (?P<host> [a-z0-9.\-]+ ) (?: : (?P<port> [1-9][0-9]{{0,4}} ) )? )?
    (?P<path> (?: / [{_CHARACTERS}]* )* )
    (?P<query> \? [{_BEHIND_PATH}]* )?
    (?P<fragment> \# [{_BEHIND_PATH}#]* )?
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
# After decoding some parser reads these as "." and "..", "\\", or the end of a line.
_AMBIGUOUS_PATH: Final = re.compile(r"/(?:\.|%2e){1,2}(?:/|;|$)|%5c|%0|%1|%7f", re.IGNORECASE)
# And these as a host, as "/", or as one of the above once it is decoded again.
_AMBIGUOUS_EXCEPT_FOR_APPS: Final = re.compile(r"//|%2f|%25", re.IGNORECASE)


def destination(
    target: str | None, *, public: PublicAddress, origins: AbstractSet[str], apps: AbstractSet[str] = frozenset()
) -> str | None:
    """Return the URL to send a browser to: a path of this service, or an absolute URL of a listed origin; or None.

    The sign-in page `/` is None, too: its own `rd` would be followed in turn. `origins`, and those of `apps`, are
    serialised origins besides the public address, in lower case and without default ports (RFC 6454, 6.2).
    """
    if not target or len(target) > MAXIMUM_LENGTH:
        return None
    found = _TARGET.fullmatch(target)
    if found is None or _BROKEN_ESCAPE.search(found["path"]) or _AMBIGUOUS_PATH.search(found["path"]):
        return None
    path = found["path"] or "/"
    rest = path + (found["query"] or "") + (found["fragment"] or "")
    origin = _origin(found) if found["scheme"] else public.origin
    if _AMBIGUOUS_EXCEPT_FOR_APPS.search(path) and (origin not in apps or origin == public.origin):
        return None
    if origin == public.origin:
        return rest if path != "/" else None
    return origin + rest if origin in origins or origin in apps else None


def origin_of(destination_url: str) -> str | None:
    """Return the origin of a URL that `destination` returned; None for a path of this service."""
    found = _TARGET.fullmatch(destination_url)
    return _origin(found) if found and found["scheme"] else None


def path_of(destination_url: str) -> str:
    found = _TARGET.fullmatch(destination_url)
    return (found["path"] if found else "") or "/"


def _origin(found: re.Match[str]) -> str:
    scheme, host, port = found["scheme"].lower(), found["host"].lower(), int(found["port"] or 0)
    suffix = f":{port}" if port and port != DEFAULT_PORTS[scheme] else ""
    return f"{scheme}://{host}{suffix}"
