"""What `/metrics` shows, by name and by series."""

from collections.abc import Iterator

from flask import Flask
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.rig.wire import ask

Labels = frozenset[tuple[str, str]]


def text(app: Flask) -> str:
    """Return what Prometheus would get."""
    return ask(app, "GET", "/metrics", HTTP_HOST="10.1.2.3:9180").text


def families(exposed: str) -> list[Metric]:
    """Return the metrics with their types and helps."""
    return list(text_string_to_metric_families(exposed))


def series(exposed: str) -> dict[tuple[str, Labels], float]:
    """Return every series with its value."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families(exposed)
        for sample in family.samples
    }


def total(exposed: str, name: str, **labels: str) -> float:
    """Return the sum of a name's series that have at least these labels."""
    return sum(value for (found, has), value in series(exposed).items() if found == name and has >= set(labels.items()))


def label_values(exposed: str, label: str) -> Iterator[str]:
    """Yield what a label is set to, wherever it stands."""
    for _, labels in series(exposed):
        yield from (value for name, value in labels if name == label)
