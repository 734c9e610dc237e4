"""Metrics with many workers: the same answer from each of them, however many there were (MT-05)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rig import scraped
from tests.rig.parts import ROOT

Scrapes = list[str]


@pytest.fixture(scope="module")
def scrapes(tmp_path_factory: pytest.TempPathFactory) -> Scrapes:
    """What was scraped before, after two workers, and after two more in their place."""
    counted: Path = tmp_path_factory.mktemp("metrics")
    environ = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(counted), "PYTHONWARNINGS": "ignore"}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.web.workers"], cwd=ROOT, env=environ, text=True, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    found: Scrapes = json.loads(ran.stdout)
    return found


def test_workers_are_summed(scrapes: Scrapes) -> None:
    """What two workers counted is one figure, and stays in it when they are gone."""
    found = [
        [
            scraped.total(scrape, "flask_http_request_total", method="GET", status="200"),
            scraped.total(scrape, "flask_http_request_total", method="OTHER", status="405"),
            scraped.total(scrape, "flask_http_request_duration_seconds_count"),
            scraped.total(scrape, "vestibule_sign_in_attempts_total", outcome="wrong_password"),
        ]
        for scrape in scrapes
    ]

    assert found == [[0, 0, 0, 0], [2, 2, 8, 2], [4, 4, 16, 4]]


def test_a_master_shows_every_outcome_before_any_worker(scrapes: Scrapes) -> None:
    """The closed sets stand at zero from the start here too."""
    names = {name for name, _ in scraped.series(scrapes[0])}

    assert {"vestibule_sign_in_attempts_total", "vestibule_throttled_total", "vestibule_build_info"} <= names


def test_new_workers_add_no_series(scrapes: Scrapes) -> None:
    """Series follow what happened and never who counted it: no process is a label, and none leaves one behind."""
    after_one, after_two = (scraped.series(scrape).keys() for scrape in scrapes[1:])

    assert after_two == after_one
    assert set(scraped.label_values(scrapes[2], "pid")) == set()


def test_helps_and_types_survive(scrapes: Scrapes) -> None:
    """What is merged from files says the same of itself as one process does."""
    families = {family.name: family for family in scraped.families(scrapes[2])}

    assert [family.documentation for family in families.values() if "Multiprocess" in family.documentation] == []
    assert families["flask_http_request_duration_seconds"].type == "histogram"
    assert families["flask_http_request"].type == "counter"


def test_gauges_are_not_summed(scrapes: Scrapes) -> None:
    """What is read from the database, and what is 1 in each worker, is shown once, not once for each worker."""
    exporters = [scraped.total(scrape, "flask_exporter_info") for scrape in scrapes]

    assert exporters == [1, 1, 1]
    assert [scraped.total(scrape, "vestibule_accounts", state="active") for scrape in scrapes] == [1, 1, 1]
