"""How the apps and nginx's files that would be rendered now differ from those in force."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

from service.access.apps import App
from service.access.identity_headers import IdentityHeaders
from service.access.judged_set import JudgedSet, from_json
from service.access.public_address import PublicAddress
from service.cli.apps_in_words import described
from service.settings.apps_in_force import FILE, AppsInForce

_OF_APPS: Final = {FILE, "apps/", "door.conf", "site.conf"}  # which follow from the apps
_KEYS: Final = [each.name for each in fields(App) if each.name not in {"name", "headers", "rules"}]


@dataclass(frozen=True, slots=True)
class Change:
    """An app that is `added`, `removed` or `changed`, and how: a sentence for each key and rule."""

    app: str
    what: str
    details: list[str]


@dataclass(frozen=True, slots=True)
class Differences:
    """The apps that change, and nginx's files that differ besides theirs (folders end with a slash).

    `first`: nothing is in force yet. `readable`: what is in force could be read.
    """

    apps: list[Change]
    files: list[str]
    first: bool
    readable: bool

    def lines(self) -> Iterator[str]:
        """Yield all of them in words; nothing where there are none."""
        if not self.readable:
            yield f"{FILE}, which says what is in force, cannot be read: every app counts as added"
        for change in self.apps:
            yield f"app {change.app} {change.what}"
            yield from (f"  {detail}" for detail in change.details)
        if self.files and not self.first:
            yield f"nginx's files that differ: {', '.join(self.files)}"


def differences(directory: Path, files: Mapping[str, bytes]) -> Differences:
    in_force = AppsInForce(directory)
    apps = changes(in_force(), from_json(files[FILE].decode()))
    differing = {name for name, content in files.items() if _content(directory / name) != content}
    of_apps = _OF_APPS if apps else set()
    names = {name if "/" not in name else f"{name.partition('/')[0]}/" for name in differing} - of_apps
    return Differences(apps, sorted(names), not (directory / "nginx.conf").exists(), in_force.is_readable())


def changes(before: JudgedSet, after: JudgedSet) -> list[Change]:
    old, new = ({app.name: app for app in each.apps} for each in (before, after))
    return [_change(name, old.get(name), new.get(name)) for name in sorted(old | new) if old.get(name) != new.get(name)]


def _change(name: str, old: App | None, new: App | None) -> Change:
    if old and new:
        return Change(name, "changed", [*_of_keys(old, new), *_of_rules(old, new)])
    what, rules = ("added", new.rules) if new else ("removed", old.rules if old else ())
    return Change(name, what, [f"rule {rule.number} {what}: {described(rule)}" for rule in rules])


def _of_keys(old: App, new: App) -> Iterator[str]:
    for key in _KEYS:
        yield from _of_key(key, getattr(old, key), getattr(new, key))
    for each in fields(IdentityHeaders):
        yield from _of_key(f"headers.{each.name}", getattr(old.headers, each.name), getattr(new.headers, each.name))


def _of_key(key: str, old: object, new: object) -> Iterator[str]:
    if old != new:
        yield f"{key} changed: {_written(new)} (before: {_written(old)})"


def _written(value: object) -> str:
    """Return a value as its file has it."""
    if value is None or isinstance(value, bool):
        return "none" if value is None else str(value).lower()
    return value.origin if isinstance(value, PublicAddress) else str(value)


def _of_rules(old: App, new: App) -> Iterator[str]:
    was, now = ([described(rule) for rule in app.rules] for app in (old, new))
    for what, from_old, to_old, from_new, to_new in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if what != "equal":
            yield from (f"rule {number + 1} removed: {was[number]}" for number in range(from_old, to_old))
            yield from (f"rule {number + 1} added: {now[number]}" for number in range(from_new, to_new))


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
