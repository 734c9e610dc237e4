"""The session cookie without a framework: its name, the values in a Cookie header, and the session of a value.

A browser may send several cookies of one name: `Domain` and `Path` are part of a cookie's identity and are not sent
(RFC 6265bis, 5.7). Of those that can be tokens the one with a live session counts, whatever its position.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from service.access.public_address import PublicAddress
from service.login.sessions import Lifetimes, Sessions, SignedIn, hash_of_claimed, may_be_used, seen_is_due

MAXIMUM_TOKENS: Final = 4  # each of them is a read of the database
OUR_NAMES: Final = r"(?:__Host-|__Secure-)?vestibule[A-Za-z0-9_-]*"  # of all cookies of this service
_OURS: Final = rf"{OUR_NAMES}=[^;]*"
_OURS_AT_FRONT: Final = re.compile(rf"\A\s*{_OURS}(?:;\s*|\Z)")
_OURS_LATER: Final = re.compile(rf";\s*{_OURS}")


def cookie_name(public: PublicAddress, cookie_domain: str | None) -> str:
    """Return the cookie's name; its prefix says whether it is this host's alone or shared (RFC 6265bis, 4.1.3).

    On plain http://localhost, where some browsers refuse `Secure`, it has no prefix.
    """
    if not public.is_https:
        return "vestibule_session"
    return "__Secure-vestibule" if cookie_domain else "__Host-vestibule"


def probe_cookie_name(public: PublicAddress, cookie_domain: str | None) -> str:
    """Return the name of the cookie that shows whether a browser takes one like the session's."""
    return f"{cookie_name(public, cookie_domain)}{'-' if public.is_https else '_'}probe"


def host_cookie_name(public: PublicAddress, name: str) -> str:
    """Return the name of a cookie that is this host's alone, also where the session is shared (RFC 6265bis, 4.1.3)."""
    return f"__Host-vestibule-{name}" if public.is_https else f"vestibule_{name}"


def domains(public: PublicAddress, cookie_domain: str | None) -> list[str | None]:
    """Return each `Domain` under which this service may have set the cookie; None is a cookie of this host alone.

    A shared cookie of an earlier `cookie_domain` has the same name as today's: the host, or any parent of it.
    """
    if not (public.is_https and cookie_domain):
        return [None]
    labels = public.host.split(".")
    parents = [".".join(labels[start:]) for start in range(len(labels))]
    return [each for each in parents if "." in each or each == cookie_domain]


def sent(header: str, name: str) -> list[str]:
    """Return the values of all cookies of exactly this name, in their order.

    Parsers differ on nameless cookies, a space before `=`, and quotes: none of these makes a name or value of ours.
    """
    # One search: to take a header of thousands of semicolons apart would cost more than the page. A part without "="
    # is a nameless cookie of that value (RFC 6265bis, 5.6).
    return [value.rstrip(" ") for value in re.findall(rf"(?:\A|;) *{re.escape(name)}=([^;]*)", header)]


def without_ours(header: str) -> str:
    """Return a Cookie header as an app may see it: without every cookie of ours, the rest byte for byte."""
    return _OURS_AT_FRONT.sub("", _OURS_LATER.sub("", header))


def token_hashes(values: Iterable[str]) -> list[bytes]:
    """Return the hashes of the first few values that can be tokens, each once."""
    found = (hash_of_claimed(value) for value in values)
    return list(dict.fromkeys(each for each in found if each is not None))[:MAXIMUM_TOKENS]


@dataclass(frozen=True, slots=True)
class Found:
    """The live session, and the `expired` ones that were found before it."""

    live: SignedIn | None
    expired: tuple[SignedIn, ...] = ()


def look_up(hashes: Iterable[bytes], *, sessions: Sessions, lifetimes: Lifetimes, now: int) -> Found:
    """Return the first live session of these tokens. The time of its last use is written at most once a minute."""
    expired: list[SignedIn] = []
    for token_hash in hashes:
        found = sessions.find(token_hash)
        if found and may_be_used(found, lifetimes, now=now):
            if seen_is_due(found.session, now=now):
                sessions.touch(token_hash, now=now)
            return Found(found, tuple(expired))
        if found:
            expired.append(found)
    return Found(None, tuple(expired))
