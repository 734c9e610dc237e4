"""How the command line speaks: refusals, answers in words or JSON, times."""

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

import click

from service.cli import REFUSED


def refuse(sentence: str) -> NoReturn:
    """Say why not, and leave with exit code 1."""
    click.echo(sentence, err=True)
    sys.exit(REFUSED)


def tell(sentence: str, facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Say what was done, or print it as one JSON object."""
    click.echo(json.dumps(facts) if as_json else sentence)


def tell_all(lines: Iterable[tuple[str, Mapping[str, Any]]], *, as_json: bool) -> None:
    """Print a line for each, or one JSON list with an object a line; none is held longer than that."""
    if not as_json:
        for sentence, _ in lines:
            click.echo(sentence)
        return
    before = "["
    for _, facts in lines:
        click.echo(f"{before}{json.dumps(facts)}", nl=False)
        before = ",\n"
    click.echo("[]" if before == "[" else "]")


def is_terminal() -> bool:
    """Whether somebody watches: progress is shown to nobody else."""
    return sys.stderr.isatty()


def when(seconds: int | None) -> str:
    """Return a moment (seconds since the epoch) in UTC, or a dash."""
    return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
