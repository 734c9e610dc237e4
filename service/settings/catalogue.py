"""The catalogue: every setting by its dotted name, with the names under which operators write it.

`sessions.idle` is VESTIBULE_SESSIONS__IDLE in the environment and `idle` below `[sessions]` in TOML. A secret,
and an address that may hold a password, can also be named by a file: the same names with `_FILE` or `_file`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

from service.settings.fields import Settings
from service.settings.kinds import Kind
from service.settings.section import Section

PREFIX: Final = "VESTIBULE_"
CONFIG: Final = "config"


@dataclass(frozen=True)
class Setting:
    """One setting as operators meet it. `unset` says what holds without a value, where that means something."""

    name: str
    kind: Kind
    default: object
    description: str
    unset: str

    @property
    def environment(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.name.replace(".", "__").upper()

    def value_in(self, settings: Settings) -> object:
        """Return its value, as the code sees it."""
        found: object = settings
        for part in self.name.split("."):
            found = getattr(found, part)
        return found

    def shown(self, value: object) -> str | None:
        """Return a value as an operator would write it, without what is secret; None when it has none."""
        return None if value is None else self.kind.write(value)


def _settings_of(section: type[Section], prefix: str = "") -> Iterator[Setting]:
    for each in fields(section):
        if isinstance(each.default, Section):
            yield from _settings_of(type(each.default), f"{each.name}.")
        elif "kind" in each.metadata:
            yield Setting(prefix + each.name, default=each.default, **each.metadata)


CATALOGUE: Final = {setting.name: setting for setting in _settings_of(Settings)}
