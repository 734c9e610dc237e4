"""Makes components/monitoring/rules.yaml, a PrometheusRule, from deploy/prometheus, whose files kustomize cannot read.

.venv/bin/python deploy/kubernetes/rules.py     writes it; a test compares
"""

from pathlib import Path
from typing import Any, Final

import yaml

_HERE: Final = Path(__file__).resolve().parent
_SOURCES: Final = _HERE.parent / "prometheus"
MADE: Final = _HERE / "components/monitoring/rules.yaml"
_NOTE: Final = "# Made by deploy/kubernetes/rules.py from the files of deploy/prometheus: change those.\n"


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as a block, so that expressions stay readable."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def made() -> str:
    """Return the PrometheusRule as YAML: the groups of every file, in the order of the files' names."""
    files = sorted(_SOURCES.glob("*.rules.yml"))
    groups: list[Any] = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    labels = {"app.kubernetes.io/name": "vestibule", "app.kubernetes.io/instance": "vestibule"}
    rules = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "vestibule", "labels": labels},
        "spec": {"groups": groups},
    }
    return _NOTE + yaml.dump(rules, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


if __name__ == "__main__":
    MADE.write_text(made(), encoding="utf-8")
