"""What the service says about itself over its own socket: whether it gets requests, and its metrics, added up."""

import http.client
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

_SECONDS: Final = 3
_SHED: Final = "vestibule_hash_shed_total"
_BUILD: Final = "vestibule_build_info"


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How the service answers: in how many seconds, or the fault for which it gets no requests.

    `shed` is how many passwords the hashing gate refused within a second; it is looked at where any were refused.
    """

    seconds: float = 0.0
    fault: str | None = None
    release: str = ""
    metrics: Counter[str] = field(default_factory=Counter)
    shed: int = 0


class _Socket(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def read(path: Path) -> ServiceState:
    """Ask the service behind a socket."""
    try:
        began = time.perf_counter()
        status, said = _ask(path, "/readyz")
        seconds = time.perf_counter() - began
        release, metrics = _metrics(path)
        shed = _shed_within_a_second(path, metrics) if metrics[_SHED] else 0
    except (OSError, http.client.HTTPException, ValueError) as silence:
        return ServiceState(fault=f"no answer on {path} ({getattr(silence, 'strerror', None) or silence})")
    fault = None if status == http.client.OK else f"not ready: {said.strip()}"
    return ServiceState(seconds, fault, release, metrics, shed)


def _ask(path: Path, asked: str) -> tuple[int, str]:
    connection = _Socket(path)
    try:
        connection.request("GET", asked, headers={"Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def _metrics(path: Path) -> tuple[str, Counter[str]]:
    """Return the release, and the sum of each metric over its labels."""
    release, sums = "", Counter[str]()
    for family in text_string_to_metric_families(_ask(path, "/metrics")[1]):
        for sample in family.samples:
            sums[sample.name] += int(sample.value)
            release = sample.labels["release"] if sample.name == _BUILD else release
    return release, sums


def _shed_within_a_second(path: Path, before: Counter[str]) -> int:
    time.sleep(1)
    return _metrics(path)[1][_SHED] - before[_SHED]
