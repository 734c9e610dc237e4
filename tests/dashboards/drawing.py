"""A panel's lines as SVG: axes, areas that stand on one another, and a dashed line at a limit."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from tests.dashboards.answers import Line, Shown
from tests.dashboards.boards import Panel
from tests.dashboards.colours import NAMED
from tests.dashboards.units import formatted, ticks

_BOTTOM: Final = 24
_TOP: Final = 8
_RIGHT: Final = 12
_GAP_STEPS: Final = 1.5
_PIXELS_A_TICK: Final = 46
_PIXELS_A_MOMENT: Final = 95
Stacked = list[tuple[float, float, float]]  # moment, lower and upper value


@dataclass(frozen=True)
class Plot:
    """The place of the lines, and what its edges mean."""

    width: float
    height: float
    left: float
    top_value: float
    shown: Shown

    def x(self, moment: float) -> float:
        share = (moment - self.shown.since) / (self.shown.until - self.shown.since)
        return round(self.left + share * (self.width - self.left - _RIGHT), 1)

    def y(self, value: float) -> float:
        return round(self.height - _BOTTOM - min(1, value / self.top_value) * (self.height - _BOTTOM - _TOP), 1)


def diagram(panel: Panel, drawn: Sequence[Line], shown: Shown, width: float, height: float) -> str:
    """Return the diagram of a time series panel."""
    custom = panel.defaults["custom"]
    stacked = custom.get("stacking", {}).get("mode") == "normal"
    layers = list(_layers(drawn, stacked=stacked))
    highest = max((upper for layer in layers for _, _, upper in layer), default=0)
    marks = ticks(panel.defaults.get("max", highest), max(2, round(height / _PIXELS_A_TICK)))
    labels = [formatted(mark, panel.unit) for mark in marks]
    plot = Plot(width, height, 14 + 6.3 * max(map(len, labels)), marks[-1], shown)
    parts = [*_grid(plot, list(zip(marks, labels, strict=True)))]
    for line, layer in reversed(list(zip(drawn, layers, strict=True))):
        parts += _shape(plot, layer, line.colour, custom["fillOpacity"] / 100, custom["lineWidth"])
    parts += _limit(plot, panel)
    return f'<svg width="{width:.0f}" height="{height:.0f}">{"".join(parts)}</svg>'


def _layers(drawn: Sequence[Line], *, stacked: bool) -> Iterator[Stacked]:
    ground: dict[float, float] = {}
    for line in drawn:
        layer = [(moment, ground.get(moment, 0.0), ground.get(moment, 0.0) + value) for moment, value in line.points]
        yield layer
        if stacked:
            ground |= {moment: upper for moment, _, upper in layer}


def _grid(plot: Plot, marks: Sequence[tuple[float, str]]) -> Iterator[str]:
    for value, label in marks:
        y = plot.y(value)
        yield f'<path class="grid" d="M{plot.left:.1f} {y}H{plot.width - _RIGHT:.1f}"/>'
        yield f'<text class="axis" x="{plot.left - 8:.1f}" y="{y + 4}" text-anchor="end">{escape(label)}</text>'
    across = plot.shown.until - plot.shown.since
    wanted = across / max(2, (plot.width - plot.left) / _PIXELS_A_MOMENT)
    step = next(each for each in (5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600) if each >= wanted)
    moment = step * (plot.shown.since // step + 1)
    while moment < plot.shown.until:
        x, said = plot.x(moment), time.strftime("%H:%M" if step >= 60 else "%H:%M:%S", time.gmtime(moment))
        yield f'<path class="grid" d="M{x} {_TOP}V{plot.height - _BOTTOM}"/>'
        if x < plot.width - 30:
            yield f'<text class="axis" x="{x}" y="{plot.height - 7}" text-anchor="middle">{said}</text>'
        moment += step


def _shape(plot: Plot, layer: Stacked, colour: str, opacity: float, thickness: float) -> Iterator[str]:
    """Draw each unbroken run of points: an area, and the line above it."""
    for run in _runs(layer, _GAP_STEPS * plot.shown.step):
        above = " ".join(f"{plot.x(moment)} {plot.y(upper)}" for moment, _, upper in run)
        below = " ".join(f"{plot.x(moment)} {plot.y(lower)}" for moment, lower, _ in reversed(run))
        yield f'<path d="M{above}L{below}Z" fill="{colour}" fill-opacity="{opacity:g}"/>'
        yield f'<path d="M{above}" fill="none" stroke="{colour}" stroke-width="{thickness:g}" stroke-linejoin="round"/>'


def _runs(layer: Stacked, gap: float) -> Iterator[Stacked]:
    run: Stacked = []
    for point in layer:
        if run and point[0] - run[-1][0] > gap:
            yield run
            run = []
        run.append(point)
    yield run


def _limit(plot: Plot, panel: Panel) -> Iterator[str]:
    for step in panel.defaults.get("thresholds", {}).get("steps", []):
        if step["value"] and step["value"] <= plot.top_value:
            y = plot.y(step["value"])
            yield f'<path class="limit" stroke="{NAMED[step["color"]]}" d="M{plot.left} {y}H{plot.width - _RIGHT}"/>'


def sparkline(line: Line, width: float, height: float) -> str:
    """Return the course of one number, as a pale area."""
    (first, *_), highest = zip(*line.points, strict=True), line.highest or 1
    across = (first[-1] - first[0]) or 1
    along = [
        (width * (moment - first[0]) / across, height - 4 - (height - 8) * value / highest)
        for moment, value in line.points
    ]
    path = " ".join(f"{x:.1f} {y:.1f}" for x, y in along)
    area = f'<path d="M{path}L{width:.0f} {height:.0f} 0 {height:.0f}Z" fill="currentColor" fill-opacity=".16"/>'
    return f'<svg width="{width:.0f}" height="{height:.0f}">{area}<path class="spark" d="M{path}"/></svg>'
