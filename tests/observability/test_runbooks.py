"""docs/runbooks.md: an entry for each alert, with commands and queries that there are."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Final

import click
import pytest

from service.cli import vestibule
from tests.house_rules.project import read
from tests.observability import names
from tests.rig.parts import need

RUNBOOKS: Final = read("docs/runbooks.md")
ENTRIES: Final = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOKS, re.MULTILINE | re.DOTALL))
QUERIES: Final = sorted(
    {line for block in re.findall(r"```promql\n(.*?)```", RUNBOOKS, re.DOTALL) for line in block.splitlines()}
)
COMMANDS: Final = sorted(
    {line for block in re.findall(r"```sh\n(.*?)```", RUNBOOKS, re.DOTALL) for line in block.splitlines()}
    | set(re.findall(r"`(vestibule [a-z][^`]*)`", RUNBOOKS))
)
OPS_LISTENER: Final = "curl -s http://127.0.0.1:9180"


def test_every_alert_has_an_entry() -> None:
    """The entries are the alerts, each once, and no others."""
    alerts = {rule["alert"] for rule in names.rules() if "alert" in rule}

    assert set(ENTRIES) == alerts
    assert len(re.findall(r"^## ", RUNBOOKS, re.MULTILINE)) == len(ENTRIES)


@pytest.mark.parametrize("alert", ENTRIES)
def test_an_entry_says_what_to_do(alert: str) -> None:
    """An entry has a meaning, a place to look with a query, and what to do, in this order."""
    text = ENTRIES[alert]

    assert re.findall(r"^\*\*(\w+)\.\*\* \S", text, re.MULTILINE) == ["Meaning", "Do"]
    assert re.search(r"Meaning.*^\*\*Look\.\*\*$.*```promql\n.*Do\.", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_exist(command: str) -> None:
    """The operator's commands take these arguments; other commands ask for a page of the ops listener."""
    if command.startswith(OPS_LISTENER):
        path = command.removeprefix(OPS_LISTENER)
        assert re.search(rf"location = {path} |location ~ \^/\([^)]*\b{path.strip('/')}\b", read("nginx.conf"))
        return
    program, *arguments = shlex.split(command)
    assert program == "vestibule"
    _parse(vestibule, arguments)


def _parse(command: click.Command, arguments: list[str]) -> None:
    """Have click read the arguments as when they are typed, and run nothing. Raises UsageError."""
    if isinstance(command, click.Group):
        found = command.get_command(click.Context(command), arguments[0])
        assert found, f"{command.name} has no {arguments[0]}"
        _parse(found, arguments[1:])
    else:
        command.make_context(command.name, arguments)


@pytest.mark.parametrize("query", QUERIES)
def test_queries_ask_for_what_is_exported(query: str) -> None:
    """Every metric, label and job in a query exists."""
    assert names.faults(query) == []


def test_prometheus_reads_every_query(tmp_path: Path) -> None:
    """Prometheus' own parser takes each query."""
    rules = [{"record": "asked", "labels": {"number": str(n)}, "expr": query} for n, query in enumerate(QUERIES)]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "runbooks", "rules": rules}]}))

    done = subprocess.run([need("promtool"), "check", "rules", file], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
