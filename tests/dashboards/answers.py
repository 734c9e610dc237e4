"""What a panel shows: the answers of its queries over a time, named and coloured."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.dashboards import colours
from tests.dashboards.boards import VARIABLES, Panel, Query
from tests.rig.prometheus import Prometheus, Series


@dataclass(frozen=True)
class Shown:
    """The time that a dashboard shows, and how often Prometheus scraped."""

    since: float
    until: float
    scrape_seconds: int

    @property
    def step(self) -> int:
        """Seconds from point to point."""
        return self.scrape_seconds

    @property
    def variables(self) -> Mapping[str, str]:
        """What Grafana puts in for the variables, with everything chosen."""
        rate_interval = max(self.step + self.scrape_seconds, 4 * self.scrape_seconds)
        times = {"$__rate_interval": f"{rate_interval}s", "$__range": f"{round(self.until - self.since)}s"}
        return VARIABLES | times


@dataclass(frozen=True)
class Line:
    """A series as it is drawn."""

    name: str
    colour: str
    points: tuple[tuple[float, float], ...]

    @property
    def last(self) -> float:
        """The last value."""
        return self.points[-1][1]

    @property
    def highest(self) -> float:
        """The greatest value."""
        return max(value for _, value in self.points)


def ask(prometheus: Prometheus, query: Query, shown: Shown) -> list[Series]:
    """Return the answer of one query, as Grafana asks it."""
    expression = query.expression(shown.variables)
    if query.instant:
        return prometheus.at(expression, shown.until)
    return prometheus.over(expression, since=shown.since, until=shown.until, step=shown.step)


def lines(prometheus: Prometheus, panel: Panel, shown: Shown) -> list[Line]:
    """Return all lines of a panel, without the values that are no numbers."""
    found = [
        (_named(query.legend, each.labels), tuple(point for point in each.points if math.isfinite(point[1])))
        for query in panel.queries
        for each in ask(prometheus, query, shown)
    ]
    full = [(name, points) for name, points in found if points]
    shades = colours.of_series(panel, [name for name, _ in full])
    return [Line(name, colour, points) for (name, points), colour in zip(full, shades, strict=True)]


def _named(legend: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), legend)
