"""A row of the result: a figure, its goal, and what it was compared with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Goal:
    """A bound on a figure: at least, or at most."""

    bound: float
    at_least: bool = False

    def holds(self, value: float) -> bool:
        """Whether the figure keeps to it."""
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


@dataclass(frozen=True)
class Row:
    """One figure. `runs` are its single runs, in its own unit; `beside` says in words what it was measured against."""

    name: str
    value: float
    unit: str
    goal: Goal
    runs: tuple[float, ...]
    beside: str

    @property
    def holds(self) -> bool:
        """Whether the goal is reached."""
        return self.goal.holds(self.value)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as people read them."""
    cells = [("", "value", "unit", "goal", "holds", "single runs; beside it")]
    for row in rows:
        runs = " ".join(f"{run:.3g}" for run in row.runs)
        holds = "yes" if row.holds else "NO"
        cells.append((row.name, f"{row.value:.3g}", row.unit, str(row.goal), holds, f"{runs}; {row.beside}"))
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    return "".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[5]]).rstrip() + "\n"
        for line in cells
    )


def write(file: Path, rows: Sequence[Row], **circumstances: Mapping[str, object]) -> None:
    """Write the rows, and the circumstances under which they were measured, as JSON."""
    facts = [
        {
            "name": row.name,
            "value": round(row.value, 3),
            "unit": row.unit,
            "goal": str(row.goal),
            "holds": row.holds,
        }
        for row in rows
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"rows": facts, **circumstances}, indent=2, ensure_ascii=False) + "\n")
