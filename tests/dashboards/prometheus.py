"""A real Prometheus of the tests' own, which scrapes the ops listener under the jobs' real names."""

import contextlib
import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.rig.parts import need, unprivileged
from tests.rig.servers import Servers, free_port, state_directory
from tests.rig.until import until

JOBS: Final = {"vestibule": "/metrics", "vestibule-edge": "/edge/metrics"}
_SCRAPE: Final = """\
  - job_name: {job}
    metrics_path: {path}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@dataclass(frozen=True)
class Series:
    """One series of an answer: its labels, and its values by moment."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    port: int

    def ask(self, path: str, **parameters: object) -> Any:  # noqa: ANN401 - what the API documents
        """Return the data of an answer of its API; raises HTTPError where it refuses."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}?{query}") as answer:
            return json.load(answer)["data"]

    def at(self, expression: str, moment: float) -> list[Series]:
        """Return the values at a moment."""
        found = self.ask("/api/v1/query", query=expression, time=moment)["result"]
        return [Series(each["metric"], ((each["value"][0], float(each["value"][1])),)) for each in found]

    def over(self, expression: str, *, since: float, until: float, step: float) -> list[Series]:
        """Return the values over a time."""
        found = self.ask("/api/v1/query_range", query=expression, start=since, end=until, step=step)["result"]
        return [
            Series(each["metric"], tuple((moment, float(value)) for moment, value in each["values"])) for each in found
        ]

    def healthy(self, job: str) -> bool:
        """Whether a job was scraped."""
        targets = self.ask("/api/v1/targets", state="active")["activeTargets"]
        return [target["health"] for target in targets if target["labels"]["job"] == job] == ["up"]


@contextlib.contextmanager
def scraping(servers: Servers, seconds: int = 1) -> Iterator[Prometheus]:
    """Yield a Prometheus that has scraped every job once, and end it."""
    binary = need("prometheus")
    with state_directory() as directory:
        prometheus = Prometheus(free_port())
        with _running(binary, directory, prometheus.port, _configuration(servers.ops_port, seconds)):
            for job in JOBS:
                until(lambda job=job: _answers(prometheus, job), f"{job} is scraped")  # type: ignore[misc]
            yield prometheus


def _answers(prometheus: Prometheus, job: str) -> bool:
    try:
        return prometheus.healthy(job)
    except OSError:
        return False


def _configuration(ops_port: int, seconds: int) -> str:
    scrapes = "".join(_SCRAPE.format(job=job, path=path, port=ops_port) for job, path in JOBS.items())
    return f"global: {{scrape_interval: {seconds}s}}\nscrape_configs:\n{scrapes}"


@contextlib.contextmanager
def _running(binary: Path, directory: Path, port: int, configuration: str) -> Iterator[None]:
    (directory / "prometheus.yml").write_text(configuration)
    command = unprivileged(
        binary,
        f"--config.file={directory}/prometheus.yml",
        f"--storage.tsdb.path={directory}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    )
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait()
