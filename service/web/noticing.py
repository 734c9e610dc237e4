"""What a wrong set-up, or a store that is gone, shows of itself: noticed in each worker, told in metrics and the log.

Its gauges are those of the worker that has the worst to tell, and go with it: whichever worker answers a scrape,
the answer is the same.
"""

import time

import structlog
from flask import Flask, request
from prometheus_client import Counter, Gauge

from service.services import Services
from service.web import context, telemetry
from service.web.clock_jumps import ClockWatch, steady_clock
from service.web.one_address import SignIns, advice


def init_app(app: Flask, services: Services) -> None:
    """Watch this app."""
    degraded = _gauge(
        app, "vestibule_counter_store_degraded", "Whether a worker counts limits in SQL because Redis does not answer."
    )
    services.health.tell_degraded(degraded.set)
    _watch_addresses(app, services)
    _watch_clock(app)


def _watch_addresses(app: Flask, services: Services) -> None:
    """Notice a proxy that is not trusted yet. On plain http the address is this machine's, and so is everybody's."""
    alone = _gauge(
        app,
        "vestibule_sign_ins_from_one_private_address",
        "Whether a worker sees nearly all sign-ins come from one private address: a proxy that is not trusted yet.",
    )
    sign_ins = SignIns()

    def look() -> None:
        if request.method != "POST" or request.endpoint != "sign_in.login":
            return
        noticed = sign_ins.come_from(context.client().address, now=time.monotonic())
        alone.set(noticed.address is not None)
        if noticed.address and noticed.is_due:
            structlog.get_logger().warning(advice(noticed.address), client=noticed.address)

    if services.public.is_https:
        app.before_request(look)


def _watch_clock(app: Flask) -> None:
    """Notice, at each request, that the clock was set meanwhile."""
    jumps = Counter(
        "vestibule_clock_jumps_total",
        "Jumps of the wall clock by more than 2 s, counted by each worker that saw one.",
        ["direction"],
        registry=telemetry.registry_of(app),
    )
    directions = {is_forward: jumps.labels("forward" if is_forward else "back") for is_forward in (True, False)}
    clock = ClockWatch(time.time, steady_clock)

    def look() -> None:
        if moved := clock.look():
            directions[moved > 0].inc()
            structlog.get_logger().warning("the clock jumped", seconds=round(moved, 3))

    app.before_request(look)


def _gauge(app: Flask, name: str, words: str) -> Gauge:
    """Return a gauge whose value is the greatest of all workers that live."""
    return Gauge(name, words, registry=telemetry.registry_of(app), multiprocess_mode="livemax")
