"""docs/runbooks.md: an entry for each alert, with queries that exist; a house rule reads its commands."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.house_rules.project import read
from tests.observability import names
from tests.rig.promtool import complaints_of_queries

RUNBOOKS: Final = read("docs/runbooks.md")
ENTRIES: Final = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOKS, re.MULTILINE | re.DOTALL))
QUERIES: Final = sorted(
    {line for block in re.findall(r"```promql\n(.*?)```", RUNBOOKS, re.DOTALL) for line in block.splitlines()}
)


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


@pytest.mark.parametrize("query", QUERIES)
def test_queries_ask_for_what_is_exported(query: str) -> None:
    """Every metric, label and job in a query exists."""
    assert names.faults(query) == []


def test_prometheus_reads_every_query(tmp_path: Path) -> None:
    """Prometheus' own parser takes each query."""
    assert complaints_of_queries(QUERIES, tmp_path / "queries.yml") == ""
