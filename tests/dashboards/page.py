"""A dashboard as a page: its panels at their places on the grid, in the look of Grafana's dark theme."""

from collections.abc import Sequence
from html import escape
from typing import Final

from tests.dashboards.answers import Line, Shown, lines
from tests.dashboards.boards import Panel, dashboard, panels
from tests.dashboards.colours import lightened, of_value
from tests.dashboards.drawing import diagram, sparkline
from tests.dashboards.units import formatted
from tests.rig.prometheus import Prometheus

WIDTH: Final = 1480
_COLUMN: Final = (WIDTH - 16) / 24
_ROW: Final = 38
_GAP: Final = 8
_HEAD: Final = 52
_TITLE: Final = 34
_LIST: Final = 26
_LINE: Final = 20  # of a table
_BESIDE: Final = 55  # in a table, beside its letters
_LETTER: Final = 7.3
_STYLE: Final = """
*{box-sizing:border-box;margin:0}
body{background:#111217;color:#ccccdc;font:13px Inter,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif;position:relative}
header{height:44px;padding:0 16px;display:flex;align-items:center;gap:10px;border-bottom:1px solid #24262c}
header b{font-weight:500;font-size:15px}header i{font-style:normal;color:#8e8e9a}header i:last-child{margin-left:auto}
section{position:absolute;background:#181b1f;border:1px solid #26282e;border-radius:3px;overflow:hidden}
h2{font-size:13.5px;font-weight:500;line-height:34px;padding:0 10px;white-space:nowrap}
.stat{color:#fff}.stat h2{position:relative;color:#fff}
.stat p{position:absolute;inset:34px 0 8px;display:flex;align-items:center;justify-content:center;font-weight:500;
text-shadow:0 0 3px #0004}
.stat svg{position:absolute;left:0;bottom:0}
.spark{fill:none;stroke:currentColor;stroke-opacity:.55;stroke-width:1.5}
.grid{stroke:#ccccdc;stroke-opacity:.09}.axis{fill:#9a9aa8;font-size:11.5px}
.limit{fill:none;stroke-dasharray:8 6;stroke-width:1.5}
.list{height:26px;padding:2px 12px;display:flex;gap:16px;white-space:nowrap}
.table{position:absolute;right:0;top:34px;padding-right:10px;border-collapse:collapse;font-size:12px}
.table td,.table th{padding:2.5px 10px 2.5px 0;text-align:right;white-space:nowrap}
.table th{color:#6e9fff;font-weight:500}.table td:first-child,.table th:first-child{text-align:left;width:99%}
u{display:inline-block;width:14px;height:4px;border-radius:2px;margin-right:7px;vertical-align:middle}
.none{position:absolute;inset:34px 0 0;display:grid;place-items:center;color:#8e8e9a}
"""


def page(prometheus: Prometheus, name: str, shown: Shown) -> str:
    """Return the page."""
    title = dashboard(name)["title"]
    bodies = "".join(_panel(panel, lines(prometheus, panel, shown), shown) for panel in panels(name))
    height = _HEAD + _ROW * max(y + h for _, y, _, h in (panel.grid for panel in panels(name)))
    folder, _, last = title.rpartition(" / ")
    span = f"Last {round((shown.until - shown.since) / 60)} minutes"
    head = f"<header><i>{escape(folder)}</i><i>›</i><b>{escape(last)}</b><i>{span}</i></header>"
    start = f'<!doctype html><meta charset="utf-8"><style>{_STYLE}</style><body style="height:{height}px">'
    return f"{start}{head}{bodies}</body>"


def _panel(panel: Panel, drawn: Sequence[Line], shown: Shown) -> str:
    x, y, w, h = panel.grid
    width, height = w * _COLUMN - _GAP, h * _ROW - _GAP
    style = f"left:{8 + x * _COLUMN + _GAP / 2:.1f}px;top:{_HEAD + y * _ROW}px;width:{width:.1f}px;height:{height}px"
    title = f"<h2>{escape(panel.title)}</h2>"
    if panel.json["type"] == "stat":
        look, inside = _stat(panel, drawn, width, height)
        return f'<section class="stat" style="{style};{look}">{title}{inside}</section>'
    inside = (
        _series(panel, drawn, shown, width, height) if drawn else f'<p class="none">{panel.defaults["noValue"]}</p>'
    )
    return f'<section style="{style}">{title}{inside}</section>'


def _stat(panel: Panel, drawn: Sequence[Line], width: float, height: float) -> tuple[str, str]:
    """Return the look of a stat panel and what is in it."""
    options = panel.json["options"]
    if not drawn:
        return "color:#8e8e9a", f"<p>{panel.defaults['noValue']}</p>"
    colour = of_value(panel, drawn[0].last)
    look = f"color:{colour}"
    if options["colorMode"] == "background":
        look = f"background:linear-gradient(120deg,{lightened(colour, -0.27)},{lightened(colour, -0.19)})"
    said = drawn[0].name if options["textMode"] == "name" else _in_words(panel, drawn[0].last)
    number = f'<p style="font-size:{min(32, 1.5 * width / max(4, len(said))):.0f}px">{escape(said)}</p>'
    if options["graphMode"] == "area":
        return look, sparkline(drawn[0], width, height * 0.36) + number
    return look, number


def _in_words(panel: Panel, value: float) -> str:
    for mapping in panel.defaults.get("mappings", []):
        if found := mapping["options"].get(f"{value:g}"):
            return str(found["text"])
    return formatted(value, panel.unit, panel.defaults.get("decimals"))


def _series(panel: Panel, drawn: Sequence[Line], shown: Shown, width: float, height: float) -> str:
    if panel.json["options"]["legend"]["displayMode"] == "table":
        rows = _rows(panel, drawn)
        beside = max(285, _BESIDE + _LETTER * sum(max(map(len, column)) for column in zip(*rows, strict=True)))
        table = _table(rows[: int((height - _TITLE) / _LINE) - 1], [line.colour for line in _highest(drawn)], beside)
        return diagram(panel, drawn, shown, width - beside - 8, height - _TITLE) + table
    names = "".join(f'<span><u style="background:{line.colour}"></u>{escape(line.name)}</span>' for line in drawn)
    return diagram(panel, drawn, shown, width, height - _TITLE - _LIST) + f'<div class="list">{names}</div>'


def _highest(drawn: Sequence[Line]) -> list[Line]:
    return sorted(drawn, key=lambda line: line.highest, reverse=True)


def _rows(panel: Panel, drawn: Sequence[Line]) -> list[tuple[str, str, str]]:
    return [
        (line.name, formatted(line.last, panel.unit), formatted(line.highest, panel.unit)) for line in _highest(drawn)
    ]


def _table(rows: Sequence[tuple[str, str, str]], colours: Sequence[str], width: float) -> str:
    """Return the legend at the side, as many rows as there is room for."""
    body = "".join(
        f'<tr><td><u style="background:{colour}"></u>{escape(name)}</td><td>{last}</td><td>{highest}</td></tr>'
        for (name, last, highest), colour in zip(rows, colours, strict=False)
    )
    head = "<tr><th>Name</th><th>Last</th><th>Max</th></tr>"
    return f'<table class="table" style="width:{width:.0f}px">{head}{body}</table>'
