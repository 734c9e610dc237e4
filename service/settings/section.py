"""What a section is: settings that belong together, frozen, each read by its kind when the section is made."""

from dataclasses import Field, dataclass, field, fields
from typing import Any

from service.settings.kinds import Kind, Unfit


class UnfitValues(ValueError):
    """Values that their settings cannot take: why, for each by its dotted name."""

    def __init__(self, reasons: dict[str, str]) -> None:
        self.reasons = reasons
        super().__init__("; ".join(f"{name} {reason}" for name, reason in reasons.items()))


def setting(kind: Kind, default: Any, description: str, *, unset: str = "") -> Any:  # noqa: ANN401 - as dataclasses.field
    """One field: its kind, its default, the manual's sentence, and what happens without a value where that is None."""
    return field(default=default, metadata={"kind": kind, "description": description, "unset": unset})


@dataclass(frozen=True, slots=True)
class Section:
    """A group of settings: a table in TOML, the part before `__` in an environment name."""

    def __post_init__(self) -> None:
        """Read every value that is no default. Raises UnfitValues, with all of them that are unfit."""
        unfit: dict[str, str] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if value is each.default:
                continue
            try:
                object.__setattr__(self, each.name, _read(each, value))
            except Unfit as refused:
                unfit[each.name] = str(refused)
            except UnfitValues as refused:
                unfit |= {f"{each.name}.{name}": reason for name, reason in refused.reasons.items()}
        if unfit:
            raise UnfitValues(unfit)


def _read(each: Field[Any], value: Any) -> object:  # noqa: ANN401 - whatever a file holds
    if isinstance(each.default, Section):
        return value if isinstance(value, Section) else type(each.default)(**value)
    return each.metadata["kind"].read(value) if "kind" in each.metadata else value
