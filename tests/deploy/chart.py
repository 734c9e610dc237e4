"""What Helm makes of deploy/helm."""

import platform
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.kustomize import Object, parsed
from tests.rig.parts import ROOT

CHART = ROOT / "deploy/helm"


@cache
def _helm() -> Any:  # noqa: ANN401 - a module that not every machine has
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("the chart is not tested here: Helm's library is locked for Linux on x86-64 alone")
    import helm_python

    return helm_python


def rendered(values: dict[str, Any], name: str = "vestibule") -> list[Object]:
    """Return the objects of a release."""
    with _helm().Chart.load(CHART) as chart:
        made: dict[str, str] = chart.render(values, name=name, namespace="vestibule")
    return [each for text in made.values() for each in parsed(text)]


def refusal(values: dict[str, Any]) -> str:
    """Return why Helm refuses these values."""
    with pytest.raises(_helm().HelmError) as refused:
        rendered(values)
    return str(refused.value)


def packed(directory: Path) -> Path:
    """Return the archive of the chart, as `helm package` makes it."""
    with _helm().Chart.load(CHART) as chart:
        return Path(chart.save(directory))


def linted(values: dict[str, Any]) -> list[str]:
    """Return what `helm lint --strict` says beyond advice."""
    report = _helm().lint(CHART, values, strict=True, kube_version="v1.33.0")
    advice = 1
    return [*report["errors"], *(each["error"] for each in report["messages"] if each["severity"] > advice)]
