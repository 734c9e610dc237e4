"""The shipped rules, played by promtool: what fires, in which minute, and what stays silent."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.house_rules.project import load
from tests.observability import backup_cases, cases, door_cases, names
from tests.observability.case import WATCHDOG, Case
from tests.rig.parts import ROOT
from tests.rig.promtool import complaints

ALERTS: Final = [rule for rule in names.rules() if "alert" in rule]
FIRING: Final = (*cases.FIRING, *door_cases.FIRING, *backup_cases.FIRING)
SILENT: Final = (*cases.SILENT, *door_cases.SILENT, *backup_cases.SILENT)
EVERY_CASE: Final = (*FIRING, *SILENT)


def _asked(minute: int, expression: str, *fired: tuple[str, str]) -> dict[str, Any]:
    """Return one question of promtool's: at a minute, an expression has these (alert, severity), and no others."""
    samples = [{"labels": f'{{alertname="{name}",severity="{severity}"}}', "value": 1} for name, severity in fired]
    return {"eval_time": f"{minute}m", "expr": f"group by (alertname, severity) ({expression})", "exp_samples": samples}


def _questions(case: Case) -> list[dict[str, Any]]:
    """Ask for each alert one minute before, and in the minute; then for all that fired at any time."""
    questions = []
    for (name, severity), minute in case.fires.items():
        firing = f'ALERTS{{alertname="{name}",severity="{severity}",alertstate="firing"}}'
        questions += [_asked(minute - 1, firing), _asked(minute, firing, (name, severity))]
    ever = f'count_over_time(ALERTS{{alertstate="firing"}}[{case.minutes}m])'
    return [*questions, _asked(case.minutes, ever, WATCHDOG, *case.fires)]


def _played(case: Case, place: Path) -> str:
    """Return what promtool has to say against a case."""
    series = [{"series": name, "values": values} for name, values in case.all_series().items()]
    test = {"interval": "1m", "input_series": series, "promql_expr_test": _questions(case)}
    order = [group["name"] for name in names.RULES for group in load(f"{names.PLACE}/{name}")["groups"]]
    files = [str(ROOT / names.PLACE / name) for name in names.RULES]
    file = place / "case.yml"  # JSON is YAML
    file.write_text(json.dumps({"rule_files": files, "group_eval_order": order, "tests": [test]}))
    return complaints("test", "rules", file)


@pytest.mark.parametrize("case", EVERY_CASE, ids=lambda case: case.name)
def test_what_fires_and_when(case: Case, tmp_path: Path) -> None:
    """In each case the alerts that are named fire, not a minute earlier than is said, and no others."""
    assert _played(case, tmp_path) == ""


def test_every_alert_fires_and_stays_silent_in_a_case() -> None:
    """Each alert, in each severity, has a case in which it fires; each one but the watchdog a case that it spares."""
    fired = {alert for case in FIRING for alert in case.fires} | {WATCHDOG}
    spared = {name for case in SILENT for name in case.spares} | {WATCHDOG[0]}

    assert fired == {(rule["alert"], rule["labels"]["severity"]) for rule in ALERTS}
    assert spared == {rule["alert"] for rule in ALERTS}
    assert [case.name for case in SILENT if case.spares & {name for name, _ in case.fires}] == []


@pytest.mark.parametrize("rule", ALERTS, ids=names.name_of)
def test_every_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    """An alert has a severity, a short summary, a description, and the address of its own part of the runbook."""
    assert rule["alert"].startswith("Vestibule")
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert len(rule["annotations"]["summary"]) <= 100
    assert rule["annotations"]["runbook_url"] == (f"https://vestibule.example/docs/runbooks.md#{rule['alert'].lower()}")
