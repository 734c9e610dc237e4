"""What a wrong set-up, or a store that is gone, shows of itself: noticed in each worker, told in metrics and the log.

Its gauges are those of the worker that has the worst to tell, and go with it: whichever worker answers a scrape,
the answer is the same.
"""

from flask import Flask
from prometheus_client import Gauge

from service.services import Services
from service.web import telemetry


def init_app(app: Flask, services: Services) -> None:
    """Watch this app."""
    degraded = _gauge(
        app, "vestibule_counter_store_degraded", "Whether a worker counts limits in SQL because Redis does not answer."
    )
    services.health.tell_degraded(degraded.set)


def _gauge(app: Flask, name: str, words: str) -> Gauge:
    """Return a gauge whose value is the greatest of all workers that live."""
    return Gauge(name, words, registry=telemetry.registry_of(app), multiprocess_mode="livemax")
