"""A flood as a picture: every session check, when it was due and how long it took, with the gate and without."""

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from tests.bench.attacks import WRONG
from tests.bench.flood import BEGINS, ENDS, PASSED, SECONDS, Flood
from tests.bench.open_loop import Timed

WIDTH: Final = 720
HEIGHT: Final = 340
_LEFT: Final = 56
_RIGHT: Final = 704
_TOP: Final = 44
_BOTTOM: Final = 296
_DECADES: Final = ("1 ms", "10 ms", "100 ms", "1 s", "10 s")
_DECADE: Final = (_BOTTOM - _TOP) / (len(_DECADES) - 1)
_EVERY_SECONDS: Final = 5
_STYLE: Final = (
    "text{font:12px system-ui,sans-serif;fill:#5d6b6d}.grid{stroke:#1c2526;stroke-opacity:.15}.flood{fill:#1c2526;"
    "fill-opacity:.05}path{fill:none;stroke-width:2.2;stroke-linecap:round;stroke-opacity:.55}.gated{stroke:#0f5f6b}"
    ".ungated{stroke:#b3401f}text.gated,text.ungated{stroke:none;font-weight:600}text.gated{fill:#0f5f6b}"
    "text.ungated{fill:#b3401f}@media(prefers-color-scheme:dark){text{fill:#9fb0b2}.grid{stroke:#e7eceb}"
    ".flood{fill:#e7eceb;fill-opacity:.07}.gated{stroke:#46a5b3}.ungated{stroke:#e08a6b}text.gated{fill:#46a5b3}"
    "text.ungated{fill:#e08a6b}}"
)


def svg(gated: Flood, ungated: Flood) -> str:
    """Return the picture: seconds to the right, time until the answer upwards, each step ten times the one below."""
    words = f"Session checks while {WRONG.each_second} wrong passwords a second arrive: {_said(gated)} with the gate, "
    shapes = "\n".join((*_grid(), *_cloud("ungated", ungated), *_cloud("gated", gated)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(words)}{_said(ungated)} without">\n<style>{_STYLE}</style>\n{shapes}\n'
        f'<text class="ungated" x="{_LEFT}" y="18">without the gate: {_said(ungated)}</text>\n'
        f'<text class="gated" x="{_RIGHT}" y="18" text-anchor="end">with the gate: {_said(gated)}</text>\n</svg>\n'
    )


def _said(flood: Flood) -> str:
    return f"99% within {flood.p99_ms():,.0f} ms"


def _grid() -> Iterator[str]:
    left, right = _across(BEGINS), _across(ENDS)
    yield f'<rect class="flood" x="{left}" y="{_TOP - 8}" width="{right - left}" height="{_BOTTOM - _TOP + 8}"/>'
    flood = f"{WRONG.each_second} wrong passwords a second"
    yield f'<text x="{(left + right) / 2:g}" y="{_TOP - 12}" text-anchor="middle">{flood}</text>'
    for number, label in enumerate(_DECADES):
        height = _BOTTOM - number * _DECADE
        yield f'<line class="grid" x1="{_LEFT}" y1="{height:g}" x2="{_RIGHT}" y2="{height:g}"/>'
        yield f'<text x="{_LEFT - 8}" y="{height + 4:g}" text-anchor="end">{label}</text>'
    for second in range(0, int(SECONDS) + 1, _EVERY_SECONDS):
        yield f'<text x="{_across(second)}" y="{_BOTTOM + 20}" text-anchor="middle">{second} s</text>'


def _cloud(kind: str, flood: Flood) -> Iterator[str]:
    """Draw each check as a dot, a line of no length; those that fall on one another once. Failed ones are above all."""
    places = sorted({(_across(check.due), _up(check)) for check in flood.checks})
    yield f'<path class="{kind}" d="{"".join(_steps(places))}"/>'


def _steps(places: Sequence[tuple[int, int]]) -> Iterable[str]:
    """Go from each place to the next: numbers that are small keep the picture small."""
    for (x, y), (left, above) in zip(places, [(0, 0), *places], strict=False):
        yield f"m{x - left} {y - above}h0"


def _across(second: float) -> int:
    return round(_LEFT + second / SECONDS * (_RIGHT - _LEFT))


def _up(check: Timed) -> int:
    if check.status != PASSED:
        return _TOP - 4
    return max(_TOP, round(_BOTTOM - _DECADE * max(0, math.log10(1000 * check.seconds))))
