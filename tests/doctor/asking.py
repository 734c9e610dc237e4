"""Runs doctor in this process, with the settings of servers that a test started."""

import json
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from click.testing import CliRunner

from service.cli.doctor import doctor as command
from service.settings import load

Findings = list[dict[str, Any]]


def doctor(environ: Mapping[str, str], *typed: str) -> tuple[int, Findings]:
    """Return the exit code, and what was found."""
    result = CliRunner().invoke(command, [*typed, "--json"], obj=SimpleNamespace(settings=load(environ)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result.exit_code, json.loads(result.stdout)["findings"]


def not_in_order(found: Iterable[Mapping[str, str]]) -> list[tuple[str, str, str]]:
    """Return the warnings and the faults: state, check, and what was found."""
    return [(each["state"], each["check"], each["what"]) for each in found if each["state"] != "ok"]
