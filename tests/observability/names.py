"""What rules and queries name: metrics, labels, their values and jobs, compared with what is really exported."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from service.edge_metrics.request_counts import DOOR_OUTCOMES
from service.login.attempts import Scope
from service.login.sign_in import Device, Reason
from tests.house_rules.metrics_manual import described
from tests.house_rules.project import load

PLACE: Final = "deploy/prometheus"
RULES: Final = ("recording.rules.yml", "alerts.rules.yml")
# What Prometheus and the blackbox exporter make themselves, with the labels that our rules use.
THEIRS: Final = {
    "up": set[str](),
    "ALERTS": {"alertname", "alertstate", "severity"},
    "probe_success": set[str](),
    "probe_http_status_code": set[str](),
    "probe_ssl_earliest_cert_expiry": set[str](),
}
EVERY_TARGET: Final = {"job", "instance", "namespace"}
# The members of closed sets; a rule that asks for another member meets nothing.
MEMBERS: Final = {
    ("vestibule_sign_in_attempts_total", "outcome"): {"granted", *Reason},
    ("vestibule_sign_in_attempts_total", "device"): {*Device},
    ("vestibule_sign_in_attempts_total", "method"): {"password"},
    ("vestibule_throttled_total", "scope"): {"posts", "block", *Scope},
    ("vestibule_edge_limited_total", "limit"): {"requests", "connections", "hashing_gate"},
    ("vestibule_edge_requests_total", "app"): {"vestibule"},
    ("vestibule_edge_request_duration_seconds", "app"): {"vestibule"},
    ("vestibule_edge_door_checks_total", "outcome"): {*DOOR_OUTCOMES},
}
_NAME: Final = re.compile(r"\b((?:vestibule|flask|probe|job:vestibule)_\w[\w:]*|up|ALERTS)\b(?:\{([^}]*)\})?")
_MATCHER: Final = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPED: Final = re.compile(r"\b(?:by|on|without|ignoring) \(([^)]*)\)")


@dataclass(frozen=True)
class Selector:
    """One metric as an expression names it, with its label matchers."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]

    def __str__(self) -> str:
        matchers = ", ".join(f'{label}{operator}"{value}"' for label, operator, value in self.matchers)
        return f"{self.metric}{{{matchers}}}"


def selectors(expression: str) -> Iterator[Selector]:
    """Yield what an expression selects."""
    for name, matchers in _NAME.findall(_without_groups(expression)):
        yield Selector(name, tuple(_MATCHER.findall(matchers)))


def _without_groups(expression: str) -> str:
    return _GROUPED.sub("", expression)


def rules() -> list[dict[str, Any]]:
    """Return all shipped rules."""
    return [rule for name in RULES for group in load(f"{PLACE}/{name}")["groups"] for rule in group["rules"]]


def name_of(rule: dict[str, Any]) -> str:
    """Return a name for a rule that no other has."""
    return f"{rule['alert']}-{rule['labels']['severity']}" if "alert" in rule else str(rule["record"])


@cache
def jobs() -> frozenset[str]:
    """Return the jobs that prometheus.yml scrapes."""
    return frozenset(job["job_name"] for job in load(f"{PLACE}/prometheus.yml")["scrape_configs"])


@cache
def exported() -> dict[str, set[str]]:
    """Return the labels of every metric there is, by its documented name, and of what the rules record."""
    ours = {name: set(re.findall(r"`(\w+)`", row["labels"])) for name, row in described().items()}
    recorded = {rule["record"]: set[str]() for rule in rules() if "record" in rule}
    return THEIRS | recorded | ours


def base(metric: str) -> str:
    """Return the documented name of a histogram's series."""
    return metric if metric in exported() else re.sub(r"_(bucket|count|sum)$", "", metric)


def faults(expression: str) -> list[str]:
    """Return what an expression names that there is not."""
    found = []
    for selector in selectors(expression):
        metric = base(selector.metric)
        if metric not in exported():
            found.append(f"no metric {selector.metric}")
            continue
        labels = exported()[metric] | EVERY_TARGET | ({"le"} if selector.metric.endswith("_bucket") else set())
        for label, operator, value in selector.matchers:
            if label not in labels:
                found.append(f"{selector.metric} has no label {label}")
            members = jobs() if label == "job" else MEMBERS.get((metric, label))
            wanted = value.split("|") if "~" in operator else [value]
            found += [f"{metric} has no {label} {each}" for each in wanted if members and each not in members]
    return found + _faults_of_groups(expression)


def _faults_of_groups(expression: str) -> list[str]:
    """Return the labels that an expression groups by, and that none of its metrics has."""
    metrics = {base(selector.metric) for selector in selectors(expression)}
    labels = EVERY_TARGET | {"le"} | {label for metric in metrics for label in exported().get(metric, ())}
    grouped = {label.strip() for group in _GROUPED.findall(expression) for label in group.split(",")} - {""}
    return [f"nothing has the label {label}" for label in sorted(grouped - labels)]
