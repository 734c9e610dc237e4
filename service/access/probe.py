"""Probes: signed requests that `vestibule doctor` sends the way of an app, and that the service answers in its place.

A probe is signed with a key derived from the secret key, for one address and one minute. The door lets it pass to its
one path, which leads to the service: an app never sees it. What the door saw travels on in the identity headers.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PATH: Final = "/.well-known/vestibule/probe"
HEADER: Final = "Vestibule-Probe"
LIFE: Final = 60  # before and after the time in it
USER: Final = "-doctor"  # no account can have this name
NAME: Final = "D%C3%B6ctor"
EMAIL: Final = "doctor@vestibule.invalid"
LARGE_ANSWER_BYTES: Final = 6000
_PROBE: Final = re.compile(
    r"(?P<purpose>[a-z-]{1,20});(?P<time>[0-9]{1,12});(?P<origin>[!-:<-~]{1,300});(?P<signature>[A-Za-z0-9_-]{43})",
    re.ASCII,
)
_SEEN: Final = re.compile(
    r"question-(?P<question>[a-z]+),client-(?P<client>[^,]*),cookies-(?P<cookies>[0-9]+),rules-(?P<rules>[0-9a-f]*)",
    re.ASCII,
)


class Purpose(StrEnum):
    """What is asked for. Only an address from which an echo came is sent more than the first."""

    ECHO = "echo"  # passes the door as a client that is not signed in
    IDENTITY = "identity"  # passes it as USER
    LARGE_ANSWER = "large-answer"  # so, too; and the head of the answer has LARGE_ANSWER_BYTES more


@dataclass(frozen=True, slots=True)
class Seen:
    """What the door saw of a probe: which question the proxy asked, and what it said with it.

    `cookies` counts our session cookies; `rules` is the hash of the apps from which nginx's files were made.
    """

    question: str
    client: str
    cookies: int
    rules: str

    def as_groups(self) -> str:
        """Return it as the value of the identity header for groups."""
        return f"question-{self.question},client-{self.client},cookies-{self.cookies},rules-{self.rules}"


def seen_in(groups: str) -> Seen | None:
    """Return what `as_groups` wrote."""
    found = _SEEN.fullmatch(groups)
    return Seen(found["question"], found["client"], int(found["cookies"]), found["rules"]) if found else None


@dataclass(frozen=True, slots=True)
class Probe:
    """What a signed probe says."""

    purpose: Purpose
    origin: str


def signed(origin: str, purpose: Purpose, *, keys: Sequence[bytes], now: int) -> str:
    """Return the value of the header; the first key signs."""
    return f"{purpose};{now};{origin};{_signature(origin, purpose, str(now), keys[0])}"


def verified(header: str, *, keys: Sequence[bytes], now: int) -> Probe | None:
    """Return the probe in a header; None when no key signed it, or its time is over."""
    found = _PROBE.fullmatch(header)
    if found is None or found["purpose"] not in list(Purpose) or abs(now - int(found["time"])) > LIFE:
        return None
    purpose = Purpose(found["purpose"])
    expected = (_signature(found["origin"], purpose, found["time"], key) for key in keys)
    is_ours = any(hmac.compare_digest(found["signature"], each) for each in expected)
    return Probe(purpose, found["origin"]) if is_ours else None


def _signature(origin: str, purpose: Purpose, moment: str, key: bytes) -> str:
    derived = hmac.digest(key, b"probes of the doctor", hashlib.sha256)
    made = hmac.digest(derived, f"{purpose}\0{moment}\0{origin}".encode(), hashlib.sha256)
    return urlsafe_b64encode(made).decode().rstrip("=")
