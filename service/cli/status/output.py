"""How the state is printed: in 80 columns a line for each thing, and what to do where it is not in order; or JSON."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import click

from service import RELEASE
from service.cli.doctor.findings import COLOURS, EXIT_CODES, State
from service.cli.output import utc
from service.cli.status.judging import Line

_COLUMNS: Final = 80
_INDENT: Final = 18


@dataclass(frozen=True, slots=True)
class Report:
    """What was judged at a moment, of the service with this public address; None where its settings are refused."""

    address: str | None
    at: int
    lines: Sequence[Line]

    @property
    def state(self) -> State:
        """The worst of all."""
        return max((line.state for line in self.lines), key=EXIT_CODES.__getitem__)

    def checks(self, state: State) -> str:
        """Return the names of what is in a state."""
        return ", ".join(line.check for line in self.lines if line.state is state)


def screen(report: Report) -> Iterator[str]:
    """Yield the lines of one screen; a terminal shows states in colour."""
    yield f"Vestibule {RELEASE} at {report.address or 'an unknown address'}, {utc(report.at)}"
    yield ""
    for line in report.lines:
        yield from _lines_of(line)
    yield ""
    bad = [state for state in (State.FAULT, State.WARNING) if report.checks(state)]
    said = "; ".join(f"{_coloured(state)}: {report.checks(state)}" for state in bad)
    yield said or click.style("all in order", fg=COLOURS[State.OK])


def _lines_of(line: Line) -> Iterator[str]:
    first, *more = textwrap.wrap(line.what, _COLUMNS - _INDENT, break_long_words=False, break_on_hyphens=False)
    yield f"{_coloured(line.state)}{'':{8 - len(line.state)}}{line.check:10}{first}"
    for each in more:
        yield f"{'':{_INDENT}}{each}"
    for each in line.todo:
        yield f"{'':{_INDENT}}-> {click.style(each, bold=True)}"


def _coloured(state: State) -> str:
    return click.style(state, fg=COLOURS[state], bold=state is not State.OK)


def as_json(report: Report) -> str:
    """Return everything as one JSON object."""
    checks = [
        {"check": each.check, "state": each.state, "what": each.what, "todo": each.todo, **each.facts}
        for each in report.lines
    ]
    whole = {"state": report.state, "release": RELEASE, "address": report.address, "at": report.at, "checks": checks}
    return json.dumps(whole, indent=1)
