"""Grafana's dark colours, and which of them a series or a value gets from what the panel says."""

import colorsys
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from tests.dashboards.boards import Panel

NAMED: Final = {
    "green": "#73bf69",
    "yellow": "#fade2a",
    "blue": "#5794f2",
    "orange": "#ff9830",
    "red": "#f2495c",
    "purple": "#b877d9",
    "transparent": "transparent",
}
_CLASSIC: Final = ("#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0")
_LIGHTER: Final = (0.0, -0.12, 0.09, -0.2, 0.16)


def of_series(panel: Panel, names: Sequence[str]) -> Iterator[str]:
    """Yield a colour for each series: a shade of what an override says, else the next of the classic palette."""
    seen: Counter[str] = Counter()
    for number, name in enumerate(names):
        base = _overridden(panel, name)
        if base is None:
            yield _CLASSIC[number % len(_CLASSIC)]
            continue
        yield lightened(NAMED[base], _LIGHTER[seen[base] % len(_LIGHTER)])
        seen[base] += 1


def _overridden(panel: Panel, name: str) -> str | None:
    for override in panel.json["fieldConfig"]["overrides"]:
        if re.search(override["matcher"]["options"].strip("/"), name):
            return str(override["properties"][0]["value"]["fixedColor"])
    return None


def of_value(panel: Panel, value: float) -> str:
    """Return the colour of the highest threshold that a value reaches."""
    steps = panel.defaults["thresholds"]["steps"]
    reached = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    return NAMED[reached[-1]]


def lightened(colour: str, by: float) -> str:
    """Return a colour that is lighter by that share of white, or darker where it is negative."""
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    made = colorsys.hls_to_rgb(hue, min(1, max(0, lightness + by)), saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in made)
