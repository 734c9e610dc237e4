"""The apps in `apps.d`: a TOML file for each, named after the app. All faults of all files are named at once."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from service.access.apps import App, receives_session_cookie
from service.access.identity_headers import IdentityHeaders
from service.access.rules import Rule, never_reached
from service.settings import app_keys, toml_file
from service.settings.fields import Settings
from service.settings.kinds import InvalidValue, SettingsFault

_NAME: Final = re.compile(r"(?!vestibule\Z)[a-z0-9][a-z0-9-]{0,63}", re.ASCII)  # nginx counts the login as vestibule
_NEEDED: Final = {"address": "https://wiki.example.org", "upstream": "http://127.0.0.1:3000"}
_CERTIFICATE: Final = {"certificate": "/etc/vestibule/tls/wiki.pem", "certificate_key": "/etc/vestibule/tls/wiki.key"}


def apps(settings: Settings) -> list[App]:
    """Return all apps by name. Raises SettingsFault with everything that is wrong with their files."""
    faults: list[str] = []
    found = {path: _values(path, faults) for path in _files(settings, faults)}
    faults.extend(_faults_of_addresses(found, settings))
    if faults:
        raise SettingsFault(faults)
    return [App(**({"name": path.stem, "title": path.stem} | values)) for path, values in found.items()]


def faults_of_apps(settings: Settings) -> list[str]:
    try:
        apps(settings)
    except SettingsFault as fault:
        return fault.faults
    return []


def _files(settings: Settings, faults: list[str]) -> list[Path]:
    """Return the files of the apps. Hidden ones belong to editors, or to Kubernetes' volumes."""
    directory = settings.apps_dir
    try:
        if settings.access.apps_dir is None and not directory.exists():
            return []
        listed = sorted(directory.iterdir())
    except OSError as failed:
        faults.append(
            f"{directory} cannot be read ({failed.strerror}): it must be a directory that the service may read"
        )
        return []
    return [path for path in listed if path.suffix == ".toml" and not path.name.startswith(".")]


def _values(path: Path, faults: list[str]) -> dict[str, Any]:
    """Return the values of one file that are in order."""
    if not _NAME.fullmatch(path.stem):
        faults.append(f"{path} must be named after the app, in a to z, 0 to 9 and - (not vestibule), such as wiki.toml")
    try:
        table = toml_file.tables(path)
    except InvalidValue as refused:
        faults.append(f"{path} {refused}")
        return {}
    faults.extend(f'{path} has no {key}: write {key} = "{_NEEDED[key]}"' for key in _NEEDED if key not in table)
    rules, headers = table.pop("rules", []), table.pop("headers", {})
    values = _taken(table, app_keys.APP, str(path), faults)
    faults.extend(_faults_of_certificate(table, values, path))
    return values | {"rules": _rules(rules, path, faults), "headers": _headers(headers, path, faults)}


def _faults_of_certificate(table: Mapping[str, object], values: Mapping[str, Any], path: Path) -> Iterator[str]:
    given = [key for key in _CERTIFICATE if key in table]
    if len(given) == 1:
        (other,) = _CERTIFICATE.keys() - given
        yield f'{path} has {given[0]} and no {other}: write {other} = "{_CERTIFICATE[other]}", or remove {given[0]}'
    if given and "address" in values and not values["address"].is_https:
        plain = values["address"].origin
        yield f"{given[0]} in {path} is for an address with https://, which {plain} is not: remove it"


def _headers(table: object, path: Path, faults: list[str]) -> IdentityHeaders:
    if not isinstance(table, dict):
        faults.append(f'headers in {path} must be a table: write [headers], and user = "X-WEBAUTH-USER" below it')
        return IdentityHeaders()
    named = IdentityHeaders(**_taken(table, app_keys.HEADERS, f"[headers] of {path}", faults))
    keys: dict[str, str] = {}
    for key in app_keys.HEADERS:
        name = getattr(named, key)
        if other := keys.get(name.lower()):
            faults.append(f"[headers] of {path} has {name} for {other} and for {key}: give each a header of its own")
        keys[name.lower()] = key
    return named


def _taken(table: Mapping[str, object], readers: app_keys.Readers, where: str, faults: list[str]) -> dict[str, Any]:
    taken = {}
    for key, value in table.items():
        try:
            taken[key] = readers[key](value) if key in readers else app_keys.refuse_unknown(key, readers)
        except InvalidValue as reason:
            faults.append(f"{key} in {where} {reason}")
    return taken


def _rules(tables: object, path: Path, faults: list[str]) -> tuple[Rule, ...]:
    if not (isinstance(tables, list) and tables and all(isinstance(table, dict) for table in tables)):
        faults.append(
            f"{path} has no [[rules]] (with two brackets), and what no rule admits is refused: write [[rules]], and "
            'allow = "signed-in" in the line below it'
        )
        return ()
    read = [_rule(table, number, path, faults) for number, table in enumerate(tables, start=1)]
    rules = tuple(rule for rule in read if rule is not None)
    faults.extend(
        f"[[rules]] {later.number} of {path} is never reached: [[rules]] {first.number} takes all requests for "
        f"{first.path}; change their order, or remove one"
        for later, first in never_reached(rules)
    )
    return rules


def _rule(table: Mapping[str, object], number: int, path: Path, faults: list[str]) -> Rule | None:
    where = f"[[rules]] {number} of {path}"
    found: list[str] = []
    values = _taken(table, app_keys.RULE, where, found)
    if ("allow" in table) == (not table.keys().isdisjoint({"users", "groups"})):
        found.append(
            f'{where} must say whom it admits, in one way: allow = "signed-in", allow = "everyone", or users and groups'
        )
    if "fresh" in table and table.get("allow") == "everyone":
        found.append(f"fresh in {where} is for people who signed in, and the rule admits everyone: remove one of them")
    faults.extend(found)
    return None if found else Rule(number=number, **values)


def _faults_of_addresses(found: Mapping[Path, Mapping[str, Any]], settings: Settings) -> Iterator[str]:
    public, domain = settings.public, settings.sessions.cookie_domain
    reach = f"{public.scheme}://{public.host} with any port" if domain is None else f"https:// addresses in {domain}"
    remedy = ", or set sessions.cookie_domain to a parent domain of both" if public.is_https and domain is None else ""
    owners = {public: "the login itself (public_url)"}
    for path, values in found.items():
        address = values.get("address")
        if address is None:
            continue
        where = f"address in {path} ({address.origin})"
        if address in owners:
            yield f"{where} is already that of {owners[address]}: each app has an address of its own"
        elif not receives_session_cookie(address, public, domain):
            yield f"{where} never receives the session cookie, which browsers send to {reach}: choose one there{remedy}"
        owners.setdefault(address, str(path))
