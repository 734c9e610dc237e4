"""The judged set: all apps whose files had no fault, as `proxy render` wrote them. The door decides by this alone."""

import hashlib
import ipaddress
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from service.access.apps import App
from service.access.identity_headers import IdentityHeaders
from service.access.public_address import PublicAddress
from service.access.rules import Allow, Rule

FORMAT: Final = 1  # of the JSON text; a worker refuses another one


class JudgedSet:
    """Apps that are in force together, and the hash of all of them (16 hexadecimal digits)."""

    def __init__(self, apps: Iterable[App]) -> None:
        self.apps = tuple(apps)
        self.hash = hashlib.sha256(to_json(self.apps).encode()).hexdigest()[:16]
        self._by_origin = {app.address.origin: app for app in self.apps}
        self.origins = frozenset(self._by_origin)

    def app_of(self, origin: str) -> App | None:
        return self._by_origin.get(origin)


def to_json(apps: Iterable[App]) -> str:
    """Return apps as JSON text: the same apps, the same text."""
    return json.dumps({"format": FORMAT, "apps": [facts_of(app) for app in apps]}, indent=1, sort_keys=True)


def facts_of(app: App) -> dict[str, Any]:
    rules = [asdict(rule) | {"networks": list(map(str, rule.networks))} for rule in app.rules]
    return asdict(app) | {"address": asdict(app.address), "rules": rules}


def from_json(text: str) -> JudgedSet:
    """Return the set that `to_json` wrote. Raises ValueError for any other text."""
    try:
        found = json.loads(text)
        if found["format"] != FORMAT:
            raise ValueError(f"format {found['format']}")
        return JudgedSet(_app(each) for each in found["apps"])
    except (KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise ValueError(f"not a judged set: {fault!r}") from fault


def _app(plain: Mapping[str, Any]) -> App:
    address, headers = PublicAddress(**plain["address"]), IdentityHeaders(**plain["headers"])
    return App(**{**plain, "address": address, "headers": headers, "rules": tuple(map(_rule, plain["rules"]))})


def _rule(plain: Mapping[str, Any]) -> Rule:
    listed = {key: tuple(plain[key]) for key in ("users", "groups", "methods")}
    networks = tuple(map(ipaddress.ip_network, plain["networks"]))
    allow = None if plain["allow"] is None else Allow(plain["allow"])
    return Rule(**{**plain, **listed, "networks": networks, "allow": allow})


EMPTY: Final = JudgedSet(())
