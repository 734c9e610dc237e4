"""What each worker counts: sign-ins, refusals, hashing, what was lost of the log. Labels come from closed sets."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from service.hashing.gate import Observer
from service.login.attempts import Scope
from service.login.sign_in import Device, Reason
from service.web.telemetry.edge_files import EdgeFiles

# Seconds: an answer comes within 1; a hash at the highest cost takes some.
_WAITS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
_HASHES: Final = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5)
disable_created_metrics()  # type: ignore[no-untyped-call]  # one process shows what many show: with many there are none


class Counters:
    """The counters of one app, in one registry."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.sign_ins = Counter(
            "vestibule_sign_in_attempts_total",
            "Sign-in attempts by method, outcome and device.",
            ["method", "outcome", "device"],
            registry=registry,
        )
        self.throttled = Counter(
            "vestibule_throttled_total", "Requests refused by a limit.", ["scope"], registry=registry
        )
        self.door_checks = Counter(
            "vestibule_door_checks_total",
            "Checks of requests for apps that reached the service; nginx answers repeated ones itself.",
            ["app", "rule", "outcome", "enforced"],
            registry=registry,
        )
        self.log_lines_lost = Counter(
            "vestibule_log_lines_lost_total", "Lines of the log that could not be written.", registry=registry
        )
        self.space_shortages = Counter(
            "vestibule_metrics_space_shortages_total",
            "Times that a process had no disk space for its counts.",
            registry=registry,
        )
        self.workers = WorkerMetrics(registry)
        self.edge_files = EdgeFiles(registry)
        self.gate = GateMetrics(registry)
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        """Show every series from the start: the first refusal is an increase, not a series that appears."""
        for outcome in ("granted", *Reason):
            for device in Device:
                self.sign_ins.labels("password", str(outcome), str(device))
        for scope in ("posts", "block", *Scope):
            self.throttled.labels(str(scope))


class WorkerMetrics:
    """Counts the workers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._running = Gauge("vestibule_workers", "Workers that run.", multiprocess_mode="livesum", registry=registry)
        self._configured = Gauge(
            "vestibule_workers_configured", "Workers that should run.", multiprocess_mode="livemax", registry=registry
        )

    def began(self, configured: int) -> None:
        self._running.set(1)
        self._configured.set(configured)


class GateMetrics(Observer):
    """The hashing gate's metrics: how many jobs wait, how long, how long a hash takes, how many jobs were refused."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._wait = Histogram(
            "vestibule_hash_wait_seconds", "Time in the queue before hashing.", buckets=_WAITS, registry=registry
        )
        self._duration = Histogram(
            "vestibule_hash_duration_seconds", "Time of one job at hashing.", buckets=_HASHES, registry=registry
        )
        self._shed = Counter("vestibule_hash_shed_total", "Jobs that the full hashing gate refused.", registry=registry)
        self._inside = Gauge(
            "vestibule_hash_queue_length",
            "Jobs that wait or are being hashed.",
            multiprocess_mode="livesum",
            registry=registry,
        )

    def joined(self) -> None:
        self._inside.inc()

    def left(self) -> None:
        self._inside.dec()

    def hashed(self, *, waited: float, took: float) -> None:
        self._wait.observe(waited)
        self._duration.observe(took)

    def shed(self) -> None:
        self._shed.inc()
