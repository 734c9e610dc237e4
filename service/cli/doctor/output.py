"""How findings are printed: a line for each check, and for each fault what to change; or JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from service.cli.doctor.findings import COLOURS, Finding, State

_WIDTH: Final = 18


def lines_of(finding: Finding) -> Iterator[str]:
    state = click.style(f"{finding.state:8}", fg=COLOURS[finding.state])
    yield f"{state} {finding.check:{_WIDTH}} {finding.what}"
    if finding.state is not State.OK:
        yield f"{'':8} {'':{_WIDTH}} why:    {finding.why}"
        yield f"{'':8} {'':{_WIDTH}} change: {finding.line}"


def summary(findings: list[Finding], nginx_dir: Path | None) -> Iterator[str]:
    count = {state: sum(finding.state is state for finding in findings) for state in State}
    if nginx_dir and any(str(nginx_dir) in finding.line for finding in findings):
        yield f"The files in {nginx_dir} are written whole by: vestibule proxy render --reload"
    yield f"{count[State.OK]} in order, {count[State.WARNING]} warnings, {count[State.FAULT]} faults"


def as_json(addresses: dict[str, list[Finding]]) -> str:
    found: list[dict[str, Any]] = [
        {"address": address, **asdict(finding)} for address, findings in addresses.items() for finding in findings
    ]
    return json.dumps({"findings": found}, indent=1)
