"""The rows as a picture: how far each figure is from its goal. Written by hand, so that it needs nothing."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from tests.bench.rows import Row

WIDTH: Final = 720
_LEFT: Final = 150
_RIGHT: Final = 570
_STEP: Final = 56
_TOP: Final = 30
# The goal stands here, whatever its unit; a figure that is twice its goal ends at the right edge.
_GOAL_AT: Final = (_LEFT + _RIGHT) / 2
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#1c2526}.quiet{fill:#5d6b6d;font-size:11px}.bar{fill:#0f5f6b}"
    ".missed{fill:#b3401f}.run{fill:#fff;stroke:#1c2526}.goal{stroke:#1c2526;stroke-dasharray:3 3}"
    "@media(prefers-color-scheme:dark){text{fill:#e7eceb}.quiet{fill:#9fb0b2}.bar{fill:#46a5b3}"
    ".missed{fill:#e08a6b}.run{fill:#1c2526;stroke:#e7eceb}.goal{stroke:#e7eceb}}"
)


def svg(rows: Sequence[Row]) -> str:
    """Return the picture: a bar to the figure, a dot for each run, a dashed line at the goal."""
    height = _TOP + _STEP * len(rows) + 10
    shapes = "\n".join(shape for place, row in enumerate(rows) for shape in _shapes(row, _TOP + _STEP * place))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(_in_words(rows))}">\n<style>{_STYLE}</style>\n'
        f'<text class="quiet" x="{_GOAL_AT:g}" y="18" text-anchor="middle">goal</text>\n'
        f'<line class="goal" x1="{_GOAL_AT:g}" y1="24" x2="{_GOAL_AT:g}" y2="{height - 6}"/>\n{shapes}\n</svg>\n'
    )


def _shapes(row: Row, top: int) -> Iterator[str]:
    end = _across(row, row.value)
    kind = "bar" if row.holds else "missed"
    yield f'<text x="{_LEFT - 12}" y="{top + 17}" text-anchor="end">{escape(row.name)}</text>'
    yield f'<rect class="{kind}" x="{_LEFT}" y="{top + 4}" width="{end - _LEFT:.1f}" height="18" rx="2"/>'
    for run in row.runs:
        yield f'<circle class="run" cx="{_across(row, run):.1f}" cy="{top + 13}" r="2.5"/>'
    figure = f"{row.value:.3g} {row.unit} ({row.goal})"
    yield f'<text x="{_RIGHT + 10}" y="{top + 17}">{escape(figure)}</text>'
    yield f'<text class="quiet" x="{_LEFT}" y="{top + 37}">{escape(row.beside)}</text>'


def _across(row: Row, value: float) -> float:
    goals = value / row.goal.bound if row.goal.bound else 2 * value  # where the goal is none at all, one is too many
    return _LEFT + min(goals, 2) * (_GOAL_AT - _LEFT)


def _in_words(rows: Sequence[Row]) -> str:
    return "; ".join(f"{row.name} {row.value:.3g} {row.unit}, goal {row.goal}" for row in rows)
