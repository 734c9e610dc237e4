"""What the hashing gate does, as metrics: who waits, how long, how long a hash takes, and who was turned away."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from service.login.hashing import Observer

# From nothing to the second within which an answer comes; a hash at the highest cost takes some seconds.
_WAITS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
_HASHES: Final = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5)


class GateMetrics(Observer):
    """The gate's metrics in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._wait = Histogram(
            "vestibule_hash_wait_seconds", "Time in the line before hashing.", buckets=_WAITS, registry=registry
        )
        self._duration = Histogram(
            "vestibule_hash_duration_seconds", "Time of one turn at hashing.", buckets=_HASHES, registry=registry
        )
        self._shed = Counter("vestibule_hash_shed_total", "Attempts turned away at the gate.", registry=registry)
        self._inside = Gauge(
            "vestibule_hash_queue_length",
            "Attempts that wait or are being hashed.",
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
