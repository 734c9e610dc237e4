"""The catalogue: every setting by its dotted name, with the names under which operators write it.

`sessions.idle` is VESTIBULE_SESSIONS__IDLE in the environment and `idle` below `[sessions]` in TOML. A secret,
and an address that may hold a password, can also be named by a file: the same names with `_FILE` or `_file`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from service.settings.fields import Settings
from service.settings.kinds import Kind
from service.settings.sections import Section

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


def _settings_of(model: type[BaseModel], prefix: str = "") -> Iterator[Setting]:
    for key, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _settings_of(field.annotation, f"{key}.")
        else:
            yield _setting(prefix + key, field)


def _setting(name: str, field: FieldInfo) -> Setting:
    kind = next(each for each in field.metadata if isinstance(each, Kind))
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return Setting(name, kind, field.default, field.description or "", str(extra.get("unset", "")))


CATALOGUE: Final = {setting.name: setting for setting in _settings_of(Settings)}
