"""What Flask's requests report: their id, their line in the log, their security events, their counts."""

import os
import time
from typing import Any, Final, cast

import structlog
from flask import Flask, Response, current_app, g, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_flask_exporter import PrometheusMetrics

from service.login.sign_in import Device
from service.services import Services
from service.web import context
from service.web.telemetry import events, logs, multiprocess_metrics, ops_pages
from service.web.telemetry.counters import Counters
from service.web.telemetry.gauges import Gauges

_KEY: Final = "vestibule.counters"


def init_app(app: Flask, services: Services) -> None:
    """Measure this app, and serve what was measured on the ops paths."""
    counters, gauges = Counters(), Gauges(services)
    app.extensions[_KEY] = counters
    services.verifier.gate.observer = counters.gate
    logs.OUTPUT.on_loss = counters.log_lines_lost.inc
    multiprocess_metrics.SPACE.on_shortage = counters.space_shortages.inc
    multiprocess_metrics.SPACE.on_worker = counters.workers.began
    app.before_request(_begin)
    app.after_request(_finish)
    PrometheusMetrics(
        app,
        path=None,
        group_by="url_rule",
        registry=counters.registry,
        excluded_paths=f"^({'|'.join(sorted(ops_pages.OPS_PATHS))})$",
    )
    ops_pages.init_app(app, lambda: _scrape(counters, gauges))


def _scrape(counters: Counters, gauges: Gauges) -> bytes:
    """Return everything in the text format: what the workers counted, and what is true now."""
    counted = counters.registry
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    now = CollectorRegistry(auto_describe=False)
    now.register(gauges)
    return generate_latest(counted) + generate_latest(now)


def counters_of(app: Flask) -> Counters:
    return cast("Counters", app.extensions[_KEY])


def count_sign_in(method: str, outcome: str, device: Device) -> None:
    counters_of(current_app).sign_ins.labels(method, outcome, device.value).inc()


def count_throttled(scope: str) -> None:
    counters_of(current_app).throttled.labels(scope).inc()


def event(name: str, *, account: str | None = None, **facts: Any) -> None:
    events.security(name, request_id=request_id(), client=context.client().address, account=account, **facts)


def warning(name: str, **facts: Any) -> None:
    """Write a warning about the request that is being answered: what an operator should look at."""
    structlog.get_logger().warning(name, request_id=request_id(), **facts)


def request_id() -> str:
    if "request_id" not in g:
        g.request_id = events.request_id(request.headers.get("X-Request-ID", ""))
    return cast("str", g.request_id)


def _begin() -> None:
    g.began = time.perf_counter()


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = request_id()
    multiprocess_metrics.SPACE.say()
    if request.path not in ops_pages.OPS_PATHS:
        events.answered(
            request_id=request_id(),
            client=context.client().address,
            method=request.method,
            path=request.path,
            rule=request.url_rule.rule if request.url_rule else None,
            status=response.status_code,
            duration_ms=round((time.perf_counter() - g.began) * 1000, 2),
            account=g.signed_in.account.username if g.get("signed_in") else None,
        )
    return response
