"""Where a browser may be sent back to; everything else goes home.

A target is never repaired. Its origin and path are matched against a narrow grammar whose every sentence all URL
parsers read alike (RFC 3986 characters, no dot segments, no empty segments, no user information). Behind `?` or `#`
no parser looks for a host any more, so what browsers send there as it is (URL Standard, 1.3) is kept as it is. The
origin is looked up in a closed list, and the answer is put together from the matched parts.
"""

import re
from collections.abc import Set as AbstractSet
from typing import Final

from service.access.public_address import PublicAddress

MAXIMUM_LENGTH: Final = 2048
_CHARACTERS: Final = r"A-Za-z0-9._~!$&'()*+,;=:@%\-"
_BEHIND_PATH: Final = r"!$%&'()*+,\-./0-9:;=?@A-Z\[\\\]^_`a-z{|}~"  # printable ASCII without blank " # < >
_TARGET: Final = re.compile(
    rf"""
    (?: (?P<scheme> https? ) :// (?P<host> [a-z0-9.\-]+ ) (?: : (?P<port> [1-9][0-9]{{0,4}} ) )? )?
    (?P<path> (?: / [{_CHARACTERS}]+ )* /? )
    (?P<query> \? [{_BEHIND_PATH}]* )?
    (?P<fragment> \# [{_BEHIND_PATH}#]* )?
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Read as "." and "..", "/" and "\\", or as the end of a line, by one parser or another after decoding.
_AMBIGUOUS_PATH: Final = re.compile(r"/(?:\.|%2e){1,2}(?:/|;|$)|%2f|%5c|%25|%0|%1|%7f", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def destination(target: str | None, *, public: PublicAddress, origins: AbstractSet[str]) -> str | None:
    """Return the URL to send a browser to (a path of ours, or an absolute URL of a listed origin), or None.

    Our own `/` is None, too: the sign-in page has nothing for a browser that is signed in, and its `rd` would be
    followed in turn. `origins` are serialised origins besides our own, in lower case and without default ports
    (RFC 6454, 6.2).
    """
    if not target or len(target) > MAXIMUM_LENGTH:
        return None
    found = _TARGET.fullmatch(target)
    if found is None or _BROKEN_ESCAPE.search(found["path"]) or _AMBIGUOUS_PATH.search(found["path"]):
        return None
    path = found["path"] or "/"
    rest = path + (found["query"] or "") + (found["fragment"] or "")
    origin = _origin(found) if found["scheme"] else public.origin
    if origin == public.origin:
        return rest if path != "/" else None
    return origin + rest if origin in origins else None


def origin_of(destination_url: str) -> str | None:
    """Return the origin of what `destination` returned when it is not our own."""
    found = _TARGET.fullmatch(destination_url)
    return _origin(found) if found and found["scheme"] else None


def _origin(found: re.Match[str]) -> str:
    scheme, host, port = found["scheme"].lower(), found["host"].lower(), int(found["port"] or 0)
    suffix = f":{port}" if port and port != _DEFAULT_PORTS[scheme] else ""
    return f"{scheme}://{host}{suffix}"
