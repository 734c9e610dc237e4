"""What can be wrong with a dashboard, as a list of faults: none in ours, and each is found where it is planted."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tests.dashboards.boards import Panel, Query, panels_of
from tests.house_rules.metrics_manual import described
from tests.observability import names
from tests.rig.promtool import complaints_of_queries

_CORE: Final = {"timeseries", "stat"}
_VARIABLES: Final = {"datasource": "datasource", "namespace": "query", "job": "query", "instance": "query"}
_CHOSEN: Final = 'namespace=~"$namespace", job=~"$job", instance=~"$instance"'
_WINDOWS: Final = {"$__rate_interval", "$__range"}
_SERIES: Final = re.compile(
    r"(?P<function>\w+)(?: by \([^)]*\))?\s?\((?:60 \* )?(?P<rate>rate\(|increase\()?"
    r"(?P<name>\w+)\{(?P<selector>[^}]*)\}"
)
_OF_EACH_REPLICA: Final = {"vestibule_hash_queue_length", "vestibule_edge_connections"}  # gauges that are added up


def faults(made: Mapping[str, Any], scratch: Path) -> list[str]:
    """Return what is wrong with a dashboard, a sentence each; `scratch` is a file for promtool."""
    found = [*_of_the_whole(made), *_of_the_layout(panels_of(made))]
    for panel in panels_of(made):
        found += [f"{panel.title}: {fault}" for fault in _of_a_panel(panel)]
        found += [f"{panel.title}: {fault}" for query in panel.queries for fault in _of_a_query(query)]
    queries = [query.expression() for panel in panels_of(made) for query in panel.queries]
    return [*found, *filter(None, [complaints_of_queries(queries, scratch)])]


def _of_the_whole(made: Mapping[str, Any]) -> Iterator[str]:
    if not made.get("uid"):
        yield "it has no uid"
    if {each["name"]: each["type"] for each in made["templating"]["list"]} != _VARIABLES:
        yield f"its variables are not {', '.join(_VARIABLES)}"
    if "${" in str(made) or "__inputs" in made:
        yield "something has to be filled in before it can be provisioned"
    if {source["uid"] for source in _sources(made)} != {"$datasource"}:
        yield "a data source is not $datasource"


def _of_the_layout(shown: list[Panel]) -> Iterator[str]:
    cells = [cell for panel in shown for cell in _cells(panel)]
    if len(cells) != len(set(cells)):
        yield "a panel covers another"
    if max(x for x, _ in cells) >= 24:
        yield "a panel leaves the grid"
    for kind in ("id", "title"):
        if len({panel.json[kind] for panel in shown}) < len(shown):
            yield f"two panels have one {kind}"


def _of_a_panel(panel: Panel) -> Iterator[str]:
    if panel.json["type"] not in _CORE:
        yield f"{panel.json['type']} is not one of the panels that every Grafana has and the pictures can show"
    if not panel.json.get("description", "").endswith("."):
        yield "it has no description"
    if not panel.defaults.get("unit"):
        yield "it has no unit"
    if not panel.defaults.get("noValue"):
        yield "it does not say what no data means"


def _of_a_query(query: Query) -> Iterator[str]:
    """Every selector respects the variables, every name in it is exported, replicas are added up rightly."""
    yield from names.faults(query.expression())
    series = list(_SERIES.finditer(query.written))
    if len(series) != query.written.count("{"):
        yield f"a metric of it is not aggregated: {query.written}"
    if not set(re.findall(r"\[([^\]]*)\]", query.written)) <= _WINDOWS:
        yield f"its window is none of {', '.join(sorted(_WINDOWS))}"
    for one in series:
        if not one["selector"].endswith(_CHOSEN):
            yield f"{one['name']} does not respect the variables"
        if row := described().get(names.base(one["name"])):
            yield from _of_adding_up(one, row["type"])


def _of_adding_up(one: re.Match[str], kind: str) -> Iterator[str]:
    if (kind == "gauge") is bool(one["rate"]):
        yield f"{one['name']} is a {kind}"
    adds = kind != "gauge" or one["name"] in _OF_EACH_REPLICA
    if adds is not (one["function"] == "sum"):
        yield f"{one['name']} is aggregated with {one['function']}"


def _sources(value: Any) -> list[dict[str, str]]:  # noqa: ANN401 - any part of a dashboard
    """Return every data source that a part of a dashboard names."""
    if isinstance(value, list):
        return [source for each in value for source in _sources(each)]
    if not isinstance(value, dict):
        return []
    here = [value["datasource"]] if "datasource" in value else []
    return here + [source for each in value.values() for source in _sources(each)]


def _cells(panel: Panel) -> list[tuple[int, int]]:
    x, y, width, height = panel.grid
    return [(column, row) for column in range(x, x + width) for row in range(y, y + height)]
