"""What a worker sees of a wrong set-up or of a lost store, as metrics and in the log.

Each gauge has the value of the worker that sees the worst, and a worker's value goes with it: every worker gives a
scrape the same answer.
"""

import time

import structlog
from flask import Flask, request
from prometheus_client import Gauge

from service.services import Services
from service.web import context
from service.web.telemetry import reporting
from service.web.telemetry.untrusted_proxy import SignIns, advice


def init_app(app: Flask, services: Services) -> None:
    """Check this app."""
    degraded = _gauge(
        app, "vestibule_counter_store_degraded", "Whether a worker counts limits in SQL because Redis does not answer."
    )
    services.health.tell_degraded(degraded.set)
    _look_for_untrusted_proxy(app, services)


def _look_for_untrusted_proxy(app: Flask, services: Services) -> None:
    """Find a proxy that is not trusted yet. On plain http every address is this machine's, so nothing is checked."""
    suspected = _gauge(
        app,
        "vestibule_untrusted_proxy_suspected",
        "Whether a worker sees nearly all sign-ins come from one private address: a proxy that is not trusted yet.",
    )
    sign_ins = SignIns()

    def look() -> None:
        if request.method != "POST" or request.endpoint != "sign_in.login":
            return
        found = sign_ins.come_from(context.client().address, now=time.monotonic())
        suspected.set(found.address is not None)
        if found.address and found.is_due:
            structlog.get_logger().warning(advice(found.address), client=found.address)

    if services.public.is_https:
        app.before_request(look)


def _gauge(app: Flask, name: str, words: str) -> Gauge:
    """Return a gauge whose value is the greatest of all live workers."""
    return Gauge(name, words, registry=reporting.counters_of(app).registry, multiprocess_mode="livemax")
