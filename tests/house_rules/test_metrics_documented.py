"""What is measured is explained, and what is explained is measured."""

import re

from service.edge_metrics.request_counts import RequestCounts
from tests.house_rules.metrics_manual import described
from tests.house_rules.project import read
from tests.rig import scraped
from tests.rig.wire import post
from tests.rig.world import World


def exposed() -> str:
    """Return a scrape in which every metric has a series."""
    app = World().app()
    post(app)
    app.test_client().get("/auth/verify")
    counts = RequestCounts()
    counts.add([b"@wiki,GET,200,0.004,-,-,,allowed,0.001"])
    numbers = re.sub(r"<!--# echo .*?-->", "0", counts.text())  # nginx fills in these
    return scraped.text(app) + re.sub(r"<!--# else -->0|<!--#.*?-->", "", numbers)


def test_every_metric_is_described() -> None:
    """A name in the scrape has a row in docs/metrics.md with its type, and the other way round."""
    found = re.findall(r"^# TYPE (\S+) (\S+)$", exposed(), re.MULTILINE)

    assert dict(found) == {name: row["type"] for name, row in described().items()}


def test_every_label_is_described() -> None:
    """The labels of each metric stand in its row."""
    labels: dict[str, set[str]] = {name: set() for name in described()}
    for name, has in scraped.series(exposed()):
        base = name if name in labels else re.sub(r"_(bucket|count|sum)$", "", name)
        labels[base] |= {label for label, _ in has} - {"le"}

    silent = {"flask_http_request_exceptions_total"}  # no series is ever there to show them
    written = {name: set(re.findall(r"`(\w+)`", row["labels"])) for name, row in described().items()}
    assert {name: has for name, has in labels.items() if name not in silent} == {
        name: has for name, has in written.items() if name not in silent
    }


def test_every_outcome_is_described() -> None:
    """Each member of the closed sets of ours is explained."""
    manual, scrape = read("docs/metrics.md"), exposed()
    members = {
        value
        for label in ("outcome", "device", "scope", "state", "limit")
        for value in scraped.label_values(scrape, label)
    }

    assert {member for member in members if f"`{member}`" not in manual} == set()
