"""What the service says about itself over its own socket: whether it gets requests, and its metrics, added up."""

import http.client
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

_SECONDS: Final = 3
_SHED: Final = "vestibule_hash_shed_total"
_BUILD: Final = "vestibule_build_info"


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What the instances say together: their releases, the slowest answer in seconds, and their metrics, added up.

    `faults` are of the instances that get no requests. `shed` is how many passwords the hashing gates refused within a
    second; it is looked at where any were refused.
    """

    instances: int = 1
    faults: tuple[str, ...] = ()
    seconds: float = 0.0
    releases: frozenset[str] = frozenset()
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


def read(sockets: Sequence[Path]) -> ServiceState:
    """Ask the service behind each socket."""
    seconds, faults, releases, metrics, shed = 0.0, [], set(), Counter[str](), 0
    for path in sockets:
        try:
            began = time.perf_counter()
            status, said = _ask(path, "/readyz")
            seconds = max(seconds, time.perf_counter() - began)
            release, counted = _metrics(path)
            shed += _shed_within_a_second(path, counted) if counted[_SHED] else 0
        except (FileNotFoundError, ConnectionRefusedError):
            faults.append(f"it does not run: no process listens on {path}")
            continue
        except (OSError, http.client.HTTPException, ValueError) as silence:
            faults.append(f"no answer on {path} ({getattr(silence, 'strerror', None) or silence})")
            continue
        if status != http.client.OK:
            faults.append(f"not ready: {said.strip()}")
        releases.add(release)
        metrics += counted
    return ServiceState(len(sockets), tuple(faults), seconds, frozenset(releases), metrics, shed)


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
