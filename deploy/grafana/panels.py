"""What the dashboards are made of: queries that respect the variables, panels in one style, colours with a meaning."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DynamicConfigValue,
    FieldColorModeId,
    GridPos,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

Built = TypeVar("Built", stat.Panel, timeseries.Panel)
Queries = Mapping[str, str]  # the legend of each query's series, and the query
Colours = Mapping[str, str]  # a regular expression for the names of series, and their colour
Steps = Mapping[float, str]  # from which value on which colour
Place = tuple[int, int, int, int]  # x, y, width, height on the grid of 24 columns

GOOD: Final = "green"
NEUTRAL: Final = "blue"
REFUSED: Final = "orange"
LIMITED: Final = "purple"
BAD: Final = "red"
STATUS_CLASSES: Final = {"2..": GOOD, "3..": NEUTRAL, "4(?!29)..": REFUSED, "429": LIMITED, "5..": BAD}
STATUSES: Final = {f"\\b{status}$": colour for status, colour in STATUS_CLASSES.items()}
QUANTILES: Final = {"50 % within": GOOD, "95 % within": "yellow", "99 % within": BAD}
PER_MINUTE: Final = "suffix:/min"
_SOURCE: Final = DataSourceRef(type_val="prometheus", uid="$datasource")
_CHOSEN: Final = 'namespace=~"$namespace", job=~"$job", instance=~"$instance"'


def now(name: str, labels: str = "") -> str:
    """Return the series of a metric that the variables choose."""
    return f"{name}{{{labels}{', ' if labels else ''}{_CHOSEN}}}"


def rate(name: str, labels: str = "") -> str:
    """Return how often a counter rises, each second."""
    return f"rate({now(name, labels)}[$__rate_interval])"


def per_minute(name: str, labels: str = "") -> str:
    """Return how often a counter rises, each minute: sign-ins are too few for seconds."""
    return f"60 * {rate(name, labels)}"


def share(name: str, part: str, whole: str = "", over: str = "$__range") -> str:
    """Return which share of one counter another is; nothing while there is nothing to share."""
    shared = f"{part}{', ' if whole else ''}{whole}"
    return f"sum(increase({now(name, shared)}[{over}])) / (sum(increase({now(name, whole)}[{over}])) > 0)"


def quantiles(histogram: str, percents: Sequence[int] = (50, 95, 99), labels: str = "") -> Queries:
    """Return within which time so many percent were done."""
    seen = f"sum by (le) ({rate(f'{histogram}_bucket', labels)})"
    return {f"{percent} % within": f"histogram_quantile({percent / 100}, {seen})" for percent in percents}


def stat_panel(  # noqa: PLR0913 - what one number needs
    title: str, description: str, place: Place, query: str, *, unit: str, steps: Steps, empty: str = "no data",
    decimals: int | None = None, words: Mapping[str, str] | None = None, trend: bool = True, legend: str = "",
) -> stat.Panel:  # fmt: skip
    """Return one number, above its course; where its value means something, on the colour of that."""
    panel = (
        _base(stat.Panel(), title, description, place, {legend: query}, instant=not trend).unit(unit).no_value(empty)
    )
    panel.thresholds(_thresholds(steps)).color_scheme(_colour(FieldColorModeId.THRESHOLDS))
    panel.color_mode(kinds.BigValueColorMode.BACKGROUND if len(steps) > 1 else kinds.BigValueColorMode.VALUE)
    panel.text_mode(kinds.BigValueTextMode.NAME if legend else kinds.BigValueTextMode.VALUE)
    panel.graph_mode(kinds.BigValueGraphMode.AREA if trend else kinds.BigValueGraphMode.NONE)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    if decimals is not None:
        panel.decimals(decimals)
    if words:
        results = {value: ValueMappingResult(text=text) for value, text in words.items()}
        panel.mappings([ValueMap(options=results)])
    return panel


def time_series(  # noqa: PLR0913 - what one diagram needs
    title: str, description: str, place: Place, queries: Queries, *, unit: str, colours: Colours,
    stacked: bool = False, table: bool = False, limit: float | None = None, most: float | None = None,
) -> timeseries.Panel:  # fmt: skip
    """Return numbers over time; a dashed line stands at a limit. A legend of many series is a table at the side."""
    panel = _base(timeseries.Panel(), title, description, place, queries).unit(unit).min(0)
    panel.line_width(1.5).fill_opacity(35 if stacked else 8).show_points(kinds.VisibilityMode.NEVER)
    panel.color_scheme(_colour(FieldColorModeId.PALETTE_CLASSIC_BY_NAME)).legend(_legend(table=table))
    panel.tooltip(
        common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING)
    ).no_value("no data")
    for pattern, colour in colours.items():
        shown = {"mode": "shades", "fixedColor": colour}
        panel.override_by_regexp(f"/{pattern}/", [DynamicConfigValue("color", shown)])
    if stacked:
        panel.stacking(common.StackingConfig().mode(kinds.StackingMode.NORMAL).group("A"))
    if most is not None:
        panel.max(most)
    if limit is not None:
        panel.thresholds(_thresholds({0: "transparent", limit: BAD}))
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(kinds.GraphTresholdsStyleMode.DASHED))
    return panel


def _base(
    panel: Built, title: str, description: str, place: Place, queries: Queries, *, instant: bool = False
) -> Built:
    panel.title(title).description(description).datasource(_SOURCE)
    x, y, width, height = place
    panel.grid_pos(GridPos(h=height, w=width, x=x, y=y))
    for ref_id, (legend, query) in zip("ABCDEFGH", queries.items(), strict=False):
        target = prometheus.Dataquery().ref_id(ref_id).expr(query).legend_format(legend or title).datasource(_SOURCE)
        panel.with_target(target.instant() if instant else target.range())
    return panel


def _thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    ordered = sorted(steps.items())
    made = [Threshold(value=value if number else None, color=colour) for number, (value, colour) in enumerate(ordered)]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(made)


def _colour(mode: FieldColorModeId) -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(mode)


def _legend(*, table: bool) -> common.VizLegendOptions:
    legend = common.VizLegendOptions().show_legend(show_legend=True).calcs(["lastNotNull", "max"] if table else [])
    if table:
        legend.sort_by("Max").sort_desc(sort_desc=True)
        return legend.display_mode(kinds.LegendDisplayMode.TABLE).placement(kinds.LegendPlacement.RIGHT)
    return legend.display_mode(kinds.LegendDisplayMode.LIST).placement(kinds.LegendPlacement.BOTTOM)
