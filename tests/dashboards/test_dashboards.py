"""Dashboards that Grafana can provision as they are, and that ask for nothing that is not exported."""

import copy
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.dashboards.boards import FOLDER, NAMES, dashboard, panels
from tests.dashboards.checks import faults
from tests.house_rules.project import load, read
from tests.rig.parts import ROOT

Json = dict[str, Any]


def test_what_is_committed_is_what_the_generator_writes(tmp_path: Path) -> None:
    """The files are those of the generator, and there are no others."""
    subprocess.run([sys.executable, str(ROOT / "deploy/grafana/generate.py"), str(tmp_path)], check=True)

    assert {path.name: path.read_text() for path in FOLDER.iterdir()} == {
        path.name: path.read_text() for path in tmp_path.iterdir()
    }
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.json" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_there_is_no_fault(name: str, tmp_path: Path) -> None:
    """A dashboard can be provisioned as it is, every panel explains itself, and every query asks for what there is."""
    assert faults(dashboard(name), tmp_path / "rules.yaml") == []
    assert dashboard(name)["uid"] == name


@pytest.mark.parametrize("name", NAMES)
def test_grafana_reads_it(name: str) -> None:
    """What the classes made from Grafana's schema read from the file and write again says the same."""
    made = dashboard(name)

    assert json.loads(json.dumps(Dashboard.from_json(made), cls=JSONEncoder)) == made


def test_the_first_panel_is_requests_by_method_and_status() -> None:
    """The overview begins with what was asked for first."""
    first = min(panels("vestibule-overview"), key=lambda panel: (panel.grid[1], panel.grid[0]))

    assert first.grid[:2] == (0, 0)
    assert first.queries[0].written.startswith("sum by (method, status) (rate(flask_http_request_total{")


def _in_query(old: str, new: str) -> Callable[[Json], None]:
    """Return what changes a query that has this text."""

    def plant(made: Json) -> None:
        target = next(target for panel in made["panels"] for target in panel["targets"] if old in target["expr"])
        target["expr"] = target["expr"].replace(old, new)

    return plant


def _in_panel(**changed: object) -> Callable[[Json], None]:
    return lambda made: made["panels"][0].update(changed)


PLANTED: Final[dict[str, Callable[[Json], object]]] = {
    "no metric vestibule_throttle_total": _in_query("vestibule_throttled_total", "vestibule_throttle_total"),
    "nothing has the label reason": _in_query("sum by (outcome)", "sum by (reason)"),
    "has no label colour": _in_query('device="known"', 'colour="known"'),
    "has no device trusted": _in_query('device="known"', 'device="trusted"'),
    "does not respect the variables": _in_query(', instance=~"$instance"', ""),
    "is aggregated with sum": _in_query("max(vestibule_throttled_networks", "sum(vestibule_throttled_networks"),
    "is aggregated with max": _in_query("sum(60 * rate(vestibule_throttled", "max(60 * rate(vestibule_throttled"),
    "is a gauge": _in_query("max(vestibule_throttled_networks", "max(rate(vestibule_throttled_networks"),
    "is not aggregated": _in_query("max(vestibule_throttled_networks", "(vestibule_throttled_networks"),
    "its window is none of": _in_query("[$__rate_interval]", "[5m]"),
    "unclosed left parenthesis": _in_query("sum(60", "sum((60"),
    "has no unit": lambda made: made["panels"][0]["fieldConfig"]["defaults"].pop("unit"),
    "has no description": _in_panel(description=""),
    "is not one of the panels": _in_panel(type="grafana-polystat-panel"),
    "two panels have one title": _in_panel(title="Wrong passwords"),
    "covers another": _in_panel(gridPos={"x": 0, "y": 0, "w": 24, "h": 9}),
    "leaves the grid": _in_panel(gridPos={"x": 20, "y": 90, "w": 8, "h": 9}),
    "something has to be filled in": _in_panel(title="${DS_PROMETHEUS}"),
    "a data source is not $datasource": _in_panel(datasource={"type": "prometheus", "uid": "prometheus"}),
    "has no uid": lambda made: made.update(uid=""),
    "its variables are not": lambda made: made["templating"]["list"].pop(),
}  # fmt: skip


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(fault: str, tmp_path: Path) -> None:
    """The checks find what they look for, and say so."""
    made = copy.deepcopy(dashboard("vestibule-sign-in-security"))
    PLANTED[fault](made)

    assert fault in "\n".join(faults(made, tmp_path / "rules.yaml"))


def test_they_are_mounted_where_provisioning_looks() -> None:
    """Compose and the script that tries Grafana mount the dashboards at the path that the provider reads."""
    (provider,) = load("deploy/grafana/provisioning/dashboards/vestibule.yaml")["providers"]
    volumes = load("deploy/compose/monitoring.yaml")["services"]["grafana"]["volumes"]
    composed = [
        each["target"] for each in volumes if isinstance(each, dict) and each["source"] == "../grafana/dashboards"
    ]

    tried = re.findall(r'"\$PWD/dashboards:([^:"]+):ro"', read("deploy/grafana/try"))
    assert composed == tried == [provider["options"]["path"]]


def test_provisioning_finds_them() -> None:
    """The files for Compose name their data source; those for Kubernetes carry the label, and every dashboard once."""
    provider = load("deploy/grafana/provisioning/dashboards/vestibule.yaml")["providers"][0]
    source = load("deploy/grafana/provisioning/datasources/prometheus.yaml")["datasources"][0]
    made = load("deploy/grafana/kustomization.yaml")

    assert (provider["type"], provider["allowUiUpdates"], source["type"]) == ("file", False, "prometheus")
    assert made["generatorOptions"]["labels"] == {"grafana_dashboard": "1"}
    assert [each["files"] for each in made["configMapGenerator"]] == [[f"dashboards/{name}.json"] for name in NAMES]
