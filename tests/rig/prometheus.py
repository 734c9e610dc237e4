"""A Prometheus of the tests' own, with a configuration that the test gives it, asked over its API."""

import json
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.rig.asking import ask, free_port
from tests.rig.background import started
from tests.rig.directories import server_directory
from tests.rig.parts import need

_CONFIGURATION = "prometheus.yml"


@dataclass(frozen=True)
class Series:
    """One series of an answer: its labels, and its values by moment."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]

    @property
    def last(self) -> float:
        """The last value."""
        return self.points[-1][1]


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    port: int
    directory: Path
    process: subprocess.Popen[bytes]

    def at(self, expression: str, moment: float | None = None) -> list[Series]:
        """Return the values at a moment; without one, now."""
        parameters = {"query": expression} | ({} if moment is None else {"time": moment})
        return [_series(each["metric"], [each["value"]]) for each in self._ask("query", parameters)["result"]]

    def over(self, expression: str, *, since: float, until: float, step: float) -> list[Series]:
        """Return the values over a time."""
        found = self._ask("query_range", {"query": expression, "start": since, "end": until, "step": step})["result"]
        return [_series(each["metric"], each["values"]) for each in found]

    def number(self, expression: str) -> float | None:
        """Return the value that an expression has now; None without one."""
        found = self.at(expression)
        return found[0].last if found else None

    def firing(self) -> set[tuple[str, str]]:
        """Return (alert, severity) of what fires now."""
        found = self.at('ALERTS{alertstate="firing"}')
        return {(each.labels["alertname"], each.labels["severity"]) for each in found}

    def scraped(self) -> set[str]:
        """Return the jobs whose targets are up."""
        return {each.labels["job"] for each in self.at("up == 1")}

    def reload(self, configuration: Mapping[str, Any]) -> None:
        """Have it read another configuration."""
        _write(self.directory, {_CONFIGURATION: json.dumps(configuration)})
        self.process.send_signal(signal.SIGHUP)

    def _ask(self, what: str, parameters: Mapping[str, object]) -> Any:  # noqa: ANN401 - what the API documents
        answer = ask(self.port, f"/api/v1/{what}?{urlencode(parameters)}")
        assert answer.status == 200, f"{parameters}: {answer.text}"
        return answer.json["data"]


def _series(labels: Mapping[str, str], values: list[tuple[float, str]]) -> Series:
    return Series(labels, tuple((moment, float(value)) for moment, value in values))


def _write(directory: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (directory / name).write_text(text)


@contextmanager
def running(configuration: Mapping[str, Any], files: Mapping[str, str] | None = None) -> Iterator[Prometheus]:
    """Run a Prometheus for as long as the block lasts; `files` lie beside its configuration."""
    program, port = need("prometheus"), free_port()
    options = (f"--config.file={_CONFIGURATION}", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{port}")
    with server_directory("prometheus") as directory:
        _write(directory, {_CONFIGURATION: json.dumps(configuration), **(files or {})})
        command = (program, *options, "--rules.alert.resend-delay=1s", "--log.level=warn")
        with started(directory, *command, answers=lambda: ask(port, "/-/ready").status == 200) as process:
            yield Prometheus(port, directory, process)
