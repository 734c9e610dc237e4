"""The committed dashboards, as the tests and the renderer of their pictures read them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.rig.parts import ROOT

FOLDER: Final = ROOT / "deploy" / "grafana" / "dashboards"
NAMES: Final = ("vestibule-overview", "vestibule-sign-in-security", "vestibule-door", "vestibule-edge")
# What Grafana puts in for `All`, and for times: here for an hour with a scrape each second.
VARIABLES: Final = {
    "$namespace": ".*",
    "$job": "vestibule|vestibule-edge",
    "$instance": ".*",
    "$__rate_interval": "10s",
    "$__range": "1h",
}


@dataclass(frozen=True)
class Query:
    """One query of a panel."""

    legend: str
    written: str
    instant: bool

    def expression(self, variables: Mapping[str, str] = VARIABLES) -> str:
        """Return PromQL: the query with values for its variables."""
        made = self.written
        for name, value in variables.items():
            made = made.replace(name, value)
        return made


@dataclass(frozen=True)
class Panel:
    """One panel, with what Grafana keeps about it."""

    dashboard: str
    json: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Its title, which no other panel of the dashboard has."""
        return str(self.json["title"])

    @property
    def defaults(self) -> Mapping[str, Any]:
        """What holds for all its series."""
        defaults: Mapping[str, Any] = self.json["fieldConfig"]["defaults"]
        return defaults

    @property
    def unit(self) -> str:
        """The unit of its values, as Grafana names it."""
        return str(self.defaults["unit"])

    @property
    def grid(self) -> tuple[int, int, int, int]:
        """Return where it stands: x, y, width and height on 24 columns."""
        place = self.json["gridPos"]
        return place["x"], place["y"], place["w"], place["h"]

    @property
    def queries(self) -> list[Query]:
        """What it asks Prometheus."""
        return [Query(each["legendFormat"], each["expr"], each["instant"]) for each in self.json["targets"]]


def dashboard(name: str) -> dict[str, Any]:
    """Return a dashboard as it is committed."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def panels(*names: str) -> list[Panel]:
    """Return the panels of these dashboards, or of all."""
    return [panel for name in names or NAMES for panel in panels_of(dashboard(name))]


def panels_of(made: Mapping[str, Any]) -> list[Panel]:
    """Return the panels of one dashboard."""
    return [Panel(made["uid"], panel) for panel in made["panels"]]
