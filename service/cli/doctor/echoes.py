"""Echoes: what the service says of a probe that went the way of an app, and the probes that ask for it."""

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Any, Final

from service.access import identity_headers, probe
from service.access.apps import App
from service.access.probe import Purpose, Seen, seen_in
from service.access.public_address import PublicAddress

FORGED: Final = "doctor-forged"
FORGED_ADDRESS: Final = "198.51.100.77"  # RFC 5737: no client has it
FORGED_HOST: Final = f"{FORGED}.invalid"
# A spelling of a header's name, and what it adds to the forged value. HTTP ignores case; apps also take `_` for `-`.
SPELLINGS: Final = ("upper case", "two lines", "underscores", "dots")
_ADDRESS_LIKE: Final = ("For", "IP", "Addr")


@dataclass(frozen=True)
class Echo:
    """An echo, and the app whose way it went; None where it went to the service itself."""

    said: dict[str, Any]
    app: App | None

    def __add__(self, other: "Echo") -> "Echo":
        return Echo(self.said | {"headers": self.said["headers"] + other.said["headers"]}, self.app)

    def all(self, name: str) -> list[str]:
        """Return the values of a header as it reached the app; gunicorn joins those of one name with commas."""
        return [value for key, value in self.said["headers"] if key.lower() == name.lower()]

    def get(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    @cached_property
    def seen(self) -> Seen | None:
        """What the door saw of the probe; None when its identity did not arrive."""
        return seen_in(self.get(self.app.headers.groups)) if self.app else None


def echo_in(body: bytes, app: App | None) -> Echo | None:
    try:
        said = json.loads(body)
    except ValueError:
        return None
    return Echo(said, app) if isinstance(said, dict) and {"vestibule", "headers", "rules"} <= said.keys() else None


@dataclass(frozen=True)
class Signer:
    """Signs probes with the secret keys; `offset` is how far the service's clock is ahead."""

    keys: Sequence[bytes]
    offset: int = 0

    def header(self, address: PublicAddress, purpose: Purpose, *, now: float) -> tuple[str, str]:
        moment = int(now) + self.offset
        return probe.HEADER, probe.signed(address.origin, purpose, keys=self.keys, now=moment)


def identity_names(app: App) -> list[str]:
    """Return the names of the identity headers: the app's own, and the usual ones."""
    return list(dict.fromkeys((*astuple(app.headers), *astuple(identity_headers.DEFAULT))))


def forged_headers(app: App) -> list[tuple[str, str]]:
    """Return every header that no client may send to an app, with forged values."""
    names = dict.fromkeys([*identity_names(app), *identity_headers.STRIPPED])
    return [(name, _forged_value(name)) for name in names]


def _forged_value(name: str) -> str:
    if name == "Forwarded":
        return f"for={FORGED_ADDRESS};host={FORGED_HOST};proto={FORGED}"
    if name.endswith("Host"):
        return FORGED_HOST
    return FORGED_ADDRESS if name.endswith(_ADDRESS_LIKE) else FORGED


def misspelt_headers(app: App) -> list[tuple[str, str]]:
    """Return the identity headers in spellings that an app may take for them, with values that name the spelling."""
    found = []
    for name in identity_names(app):
        spelt = name.upper(), name, name.replace("-", "_"), name.replace("-", ".")
        found += [(each, f"{FORGED} {spelling}") for each, spelling in zip(spelt, SPELLINGS, strict=True)]
        found += [(name, f"{FORGED} {SPELLINGS[1]}")]
    return found
