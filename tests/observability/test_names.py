"""What the rules, the scrape configuration and the routes name exists: metrics, labels, jobs, alerts, modules."""

import re
from typing import Any

import pytest

from tests.house_rules.project import load
from tests.observability import names

RULES = names.rules()
ALERTS = {rule["alert"] for rule in RULES if "alert" in rule}


@pytest.mark.parametrize("rule", RULES, ids=names.name_of)
def test_rules_ask_for_what_is_exported(rule: dict[str, Any]) -> None:
    """Every metric, label, member of a closed set and job in a rule is one that the service or the edge exports."""
    assert names.faults(rule["expr"]) == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ('vestibule_signin_attempts_total{job="vestibule"}', "no metric vestibule_signin_attempts_total"),
        ('vestibule_database_up{job="vestibul"}', "vestibule_database_up has no job vestibul"),
        ('vestibule_database_up{replica="a"}', "vestibule_database_up has no label replica"),
        ('vestibule_throttled_total{scope="networks"}', "vestibule_throttled_total has no scope networks"),
        (
            'vestibule_sign_in_attempts_total{outcome=~"granted|failed"}',
            "vestibule_sign_in_attempts_total has no outcome failed",
        ),
        (
            'vestibule_sign_in_attempts_total{device="trusted"}',
            "vestibule_sign_in_attempts_total has no device trusted",
        ),
        ("sum by (username) (vestibule_throttled_total)", "nothing has the label username"),
        ("job:vestibule_edge_errors:ratio7d > 1", "no metric job:vestibule_edge_errors:ratio7d"),
        ('up{job=~"vestibule|vestibule-door"}', "up has no job vestibule-door"),
    ],
)
def test_planted_faults_are_found(planted: str, found: str) -> None:
    """An expression that would meet nothing is refused, and the reason is the name that is wrong."""
    assert names.faults(planted) == [found]


def test_every_job_is_used_and_scraped() -> None:
    """A job that a rule names is in prometheus.yml, and each job there is named by a rule."""
    named = {
        job
        for rule in RULES
        for each in names.selectors(rule["expr"])
        for label, _, value in each.matchers
        if label == "job"
        for job in value.split("|")
    }

    assert named == names.jobs()


def test_every_recording_is_used() -> None:
    """What is recorded is asked for, by an alert or by another recording."""
    used = {each.metric for rule in RULES for each in names.selectors(rule["expr"])}

    assert {rule["record"] for rule in RULES if "record" in rule} - used == set()


def test_routes_and_inhibitions_name_alerts() -> None:
    """Each alert's name in alertmanager.yml, and each alternative of a pattern, is that of an alert."""
    matchers = re.findall(r"alertname(?:=|=~)\"([^\"]+)\"", "".join(map(str, _matchers())))

    patterns = [pattern for matcher in matchers for pattern in matcher.split("|")]
    assert patterns
    assert [each for each in patterns if not any(re.fullmatch(each, alert) for alert in ALERTS)] == []


def _matchers() -> list[str]:
    configuration = load(f"{names.PLACE}/alertmanager.yml")
    holders = [*configuration["route"]["routes"], *configuration["inhibit_rules"]]
    return [each for holder in holders for kind, matchers in holder.items() if "matchers" in kind for each in matchers]


def test_every_receiver_is_defined() -> None:
    """A route leads to a receiver that there is."""
    configuration = load(f"{names.PLACE}/alertmanager.yml")
    routes = [configuration["route"], *configuration["route"]["routes"]]

    assert {route["receiver"] for route in routes} == {each["name"] for each in configuration["receivers"]}


def test_the_probe_uses_a_module_that_there_is() -> None:
    """The module that prometheus.yml asks the blackbox exporter for is in blackbox.yml."""
    (probe,) = (job for job in load(f"{names.PLACE}/prometheus.yml")["scrape_configs"] if "params" in job)

    assert set(probe["params"]["module"]) <= load(f"{names.PLACE}/blackbox.yml")["modules"].keys()
