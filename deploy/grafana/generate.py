"""Write the dashboards: `.venv/bin/python deploy/grafana/generate.py [DIRECTORY]`; without one, where they are kept."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import door
import edge
import overview
import sign_in_security
from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

DASHBOARDS: Final = (overview, sign_in_security, door, edge)
TAG: Final = "vestibule"


def built(module: ModuleType) -> dashboard.Dashboard:
    """Return a dashboard with its variables and panels."""
    made = dashboard.Dashboard(module.TITLE).uid(uid(module)).description(module.DESCRIPTION).tags([TAG])
    made.readonly().tooltip(DashboardCursorSync.CROSSHAIR).time("now-1h", "now").refresh("30s").timezone("browser")
    made.link(_others())
    made.with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    chosen = f'__name__=~"{module.LOOKS_AT}"'
    made.with_variable(_choice("namespace", chosen).all_value(".*"))
    made.with_variable(_choice("job", f'{chosen}, namespace=~"$namespace"'))
    made.with_variable(_choice("instance", f'{chosen}, namespace=~"$namespace", job=~"$job"').all_value(".*"))
    for number, panel in enumerate(module.PANELS, start=1):
        made.with_panel(panel.id(number))
    return made


def uid(module: ModuleType) -> str:
    """Return what a dashboard's address and its file are called after."""
    return f"{TAG}-{module.__name__.replace('_', '-')}"


def _choice(label: str, series: str) -> dashboard.QueryVariable:
    """Return a variable whose values are those of a label. Where there is no such label, All means all, too."""
    everything = VariableOption(selected=True, text=["All"], value=["$__all"])
    source = DataSourceRef(type_val="prometheus", uid="$datasource")
    variable = dashboard.QueryVariable(label).label(label.capitalize()).datasource(source)
    variable.query(f"label_values({{{series}}}, {label})").refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    return (
        variable.sort(VariableSort.ALPHABETICAL_ASC).multi(multi=True).include_all(include_all=True).current(everything)
    )


def _others() -> dashboard.DashboardLink:
    link = dashboard.DashboardLink("Vestibule").type(DashboardLinkType.DASHBOARDS).tags([TAG])
    return link.keep_time(keep_time=True).include_vars(include_vars=True)


def main(directory: Path) -> None:
    """Write all of them."""
    directory.mkdir(parents=True, exist_ok=True)
    for module in DASHBOARDS:
        text = json.dumps(built(module).build(), cls=JSONEncoder, indent=2, ensure_ascii=False)
        (directory / f"{uid(module)}.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).with_name("dashboards"))
