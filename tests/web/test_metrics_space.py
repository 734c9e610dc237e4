"""Counts on a full disk: an answer never depends on them, and none is lost while its process lives."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.rig import scraped
from tests.rig.parts import ROOT
from tests.rig.small_disk import fill, small_disk

Scrapes = dict[str, Any]
COUNTED = "flask_http_request_total"
SHORTAGES = "vestibule_metrics_space_shortages_total"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """Run the process, which must not die of a page that cannot be had (SIGBUS)."""
    with small_disk(tmp_path_factory.mktemp("full") / "disk", kilobytes=128) as disk:
        fill(disk)
        environ = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(disk), "PYTHONWARNINGS": "ignore"}
        command = [sys.executable, "-m", "tests.web.full_disk"]
        done = subprocess.run(command, cwd=ROOT, env=environ, text=True, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def scrapes(ran: subprocess.CompletedProcess[str]) -> Scrapes:
    """What was scraped."""
    found: Scrapes = json.loads(ran.stdout)
    return found


def test_without_space_answers_go_out_and_nothing_is_counted(scrapes: Scrapes) -> None:
    """Pages and scrapes are answered on a full disk."""
    assert scrapes["before"] == [0, 0, 0]


def test_with_space_again_nothing_is_missing(scrapes: Scrapes) -> None:
    """What was counted without space is there with it, and so is that there was none."""
    exact = scrapes["exact"]

    assert scraped.total(exact, COUNTED) > 3
    assert scraped.total(exact, COUNTED) == scraped.total(exact, "flask_http_request_duration_seconds_count")
    assert scraped.total(exact, SHORTAGES) == 1


def test_a_file_that_cannot_grow_keeps_what_it_has(scrapes: Scrapes) -> None:
    """New series wait for space while old ones go on, and are whole afterwards."""
    full, after = scrapes["full"], scrapes["after"]

    assert 0 < scraped.total(full, "vestibule_throttled_total") < 300
    assert scraped.total(full, COUNTED) == scraped.total(scrapes["exact"], COUNTED) + 1
    assert {scraped.total(after, "vestibule_throttled_total", scope=f"scope {n}") for n in range(299)} == {1}
    assert scraped.total(after, SHORTAGES) == 2


def test_it_is_said_once_and_when_it_is_over(ran: subprocess.CompletedProcess[str]) -> None:
    """Each time one line says that there is no space and where, and one that there is."""
    said = [line for line in ran.stderr.splitlines() if "metrics_space" in line]

    assert ["No space left" in line for line in said] == [True, False, True, False]
    assert "disk" in said[0]
