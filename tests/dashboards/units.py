"""Values as Grafana writes them, in the units that the dashboards use; and where an axis has its ticks."""

import math
from typing import Final

_SUFFIXES: Final = {"reqps": " req/s", "cps": " c/s", "percentunit": "%", "s": " s", "short": "", "bool": ""}
_STEPS: Final = (1, 2, 2.5, 5, 10)


def formatted(value: float, unit: str, decimals: int | None = None) -> str:
    """Return a value with its unit; without decimals that are asked for, as many as tell it from its neighbours."""
    suffix = unit.removeprefix("suffix:") if unit.startswith("suffix:") else _SUFFIXES[unit]
    if unit == "percentunit":
        value *= 100
    if unit == "s" and 0 < abs(value) < 1:
        value, suffix = value * 1000, " ms"
    if suffix == "" and abs(value) >= 1000:
        value, suffix = value / 1000, " K"
    return f"{_rounded(value, decimals)}{suffix}"


def _rounded(value: float, decimals: int | None) -> str:
    if decimals is None:
        decimals = 0 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
        return f"{value:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{value:.0f}"
    return f"{value:.{decimals}f}"


def ticks(highest: float, wanted: int) -> list[float]:
    """Return round values from 0 to at least the highest, about as many as wanted."""
    if highest <= 0:
        return [0, 1]
    rough = highest / wanted
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * each for each in _STEPS if power * each >= rough * 0.999)
    return [step * number for number in range(math.ceil(highest / step - 1e-9) + 1)]
