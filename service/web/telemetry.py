"""What the service says of itself: metrics, health, one log line a request, one for each security event.

Labels come from closed sets. A line holds no password, token, cookie or query string, and names an account
only when it exists: people type passwords into the wrong field.
"""

import os
import re
import time
import uuid
from collections.abc import Iterator
from typing import Any, Final, cast

import structlog
from flask import Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Metric,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_flask_exporter import PrometheusMetrics

from service import RELEASE
from service.login.attempts import Scope
from service.login.sign_in import Reason
from service.services import Services, Unavailable
from service.web import context
from service.web.gate_metrics import GateMetrics

GAUGES_EVERY_SECONDS: Final = 30
OPS_PATHS: Final = frozenset({"/metrics", "/healthz", "/readyz"})
_REQUEST_ID: Final = re.compile(r"[0-9a-f]{32}")
_SHOWN_PATH: Final = 200
_LINK_LIKE: Final = re.compile(r"[?=&;#]|[^\x21-\x7e]|setup", re.IGNORECASE)
_KEY: Final = "vestibule.telemetry"
_log = structlog.get_logger()
disable_created_metrics()  # type: ignore[no-untyped-call]  # one process shows what many show: with many there are none


class Telemetry:
    """The counters of one app, in one registry; in files that all workers share when gunicorn asks for it."""

    def __init__(self, services: Services) -> None:
        self.registry = CollectorRegistry()
        self.gauges = _Gauges(services)
        self.sign_ins = Counter(
            "vestibule_sign_in_attempts_total",
            "Sign-in attempts by method and outcome.",
            ["method", "outcome"],
            registry=self.registry,
        )
        self.throttled = Counter(
            "vestibule_throttled_total", "Requests refused by a limit.", ["scope"], registry=self.registry
        )
        services.gate.observer = GateMetrics(self.registry)
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        """Show every series from the start: the first refusal is an increase, not a series that appears."""
        for outcome in ("granted", *Reason):
            self.sign_ins.labels("password", str(outcome))
        for scope in ("posts", "block", *Scope):
            self.throttled.labels(str(scope))

    def exporter(self, app: Flask) -> PrometheusMetrics:
        """Count this app's requests by method and status, and time them by rule."""
        return PrometheusMetrics(
            app, path=None, group_by="url_rule", registry=self.registry, excluded_paths="^/(metrics|healthz|readyz)$"
        )

    def scrape(self) -> bytes:
        """Return everything in the text format: what the workers counted, and what is true now."""
        counted = self.registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            counted = CollectorRegistry()
            MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        return generate_latest(counted) + generate_latest(_only(self.gauges))


def init_app(app: Flask, services: Services) -> None:
    """Measure this app, and serve what was measured on the ops paths."""
    telemetry = Telemetry(services)
    app.extensions[_KEY] = telemetry
    app.before_request(_begin)
    app.after_request(_finish)
    telemetry.exporter(app)
    app.add_url_rule("/metrics", view_func=_metrics)
    app.add_url_rule("/healthz", view_func=_healthz)
    app.add_url_rule("/readyz", view_func=_readyz)


def registry_of(app: Flask) -> CollectorRegistry:
    """Return where this app's metrics are registered, for those that have a file of their own."""
    return cast("Telemetry", app.extensions[_KEY]).registry


def _of_app() -> Telemetry:
    from flask import current_app

    return cast("Telemetry", current_app.extensions[_KEY])


def count_sign_in(method: str, outcome: str) -> None:
    """Count one attempt; both labels are members of closed sets."""
    _of_app().sign_ins.labels(method, outcome).inc()


def count_throttled(scope: str) -> None:
    """Count one request that a limit refused."""
    _of_app().throttled.labels(scope).inc()


def event(name: str, *, account: str | None = None, **facts: Any) -> None:
    """Write one security event (names after the OWASP logging vocabulary): who, from where, with what result."""
    _log.info(name, kind="security", request_id=request_id(), client=context.client().address, account=account, **facts)


def request_id() -> str:
    """Return the id that nginx gave this request and logged itself, or one of our own."""
    if "request_id" not in g:
        claimed = request.headers.get("X-Request-ID", "")
        g.request_id = claimed if _REQUEST_ID.fullmatch(claimed) else uuid.uuid4().hex
    return cast("str", g.request_id)


def _begin() -> None:
    g.began = time.perf_counter()


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = request_id()
    if request.path in OPS_PATHS:
        return response
    _log.info(
        "request",
        request_id=request_id(),
        client=context.client().address,
        method=request.method,
        path=_shown_path(),
        rule=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        duration_ms=round((time.perf_counter() - g.began) * 1000, 2),
        account=g.signed_in.account.username if g.get("signed_in") else None,
    )
    return response


def _shown_path() -> str:
    """Return the path, unless it may be a one-time link that was mangled on its way: that would hold its token."""
    path = request.path[:_SHOWN_PATH]
    return "(withheld)" if request.url_rule is None and _LINK_LIKE.search(path) else path


def _metrics() -> Response:
    return Response(_of_app().scrape(), content_type=CONTENT_TYPE_LATEST)


def _healthz() -> Response:
    """Answer that this process answers; no store is asked, so that a lost database restarts nothing."""
    return Response("ok\n", content_type="text/plain; charset=utf-8")


def _readyz() -> Response:
    """Answer whether this replica should get requests: its tables were seen.

    A database that is lost later is no reason to leave: every replica would, and none would say why.
    """
    text = "ok\n"
    try:
        if context.services().health.migrations_pending():
            text = "migrations are missing: vestibule db upgrade\n"
    except Unavailable:
        text = "the database has not answered since the start\n"
    return Response(text, 200 if text == "ok\n" else 503, content_type="text/plain; charset=utf-8")


class _Gauges:
    """What the database and the settings say now, read at most every 30 seconds in each worker."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._read_at = 0.0
        self._families: list[Metric] = []

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges; a database that does not answer shows as `vestibule_database_up 0`, not as an error."""
        if not self._families or time.monotonic() - self._read_at >= GAUGES_EVERY_SECONDS:
            self._families, self._read_at = list(self._read()), time.monotonic()
        return iter(self._families)

    def _read(self) -> Iterator[Metric]:
        services = self._services
        build = GaugeMetricFamily("vestibule_build_info", "The release that answers.", labels=["release"])
        build.add_metric([RELEASE], 1)
        yield build
        up = services.health.database_answers()
        yield GaugeMetricFamily("vestibule_database_up", "Whether the database answers.", value=up)
        if up:
            yield from self._rows()

    def _rows(self) -> Iterator[Metric]:
        services = self._services
        try:
            pending = services.health.migrations_pending()
            yield GaugeMetricFamily("vestibule_migrations_pending", "Whether `db upgrade` is due.", value=pending)
            if pending:
                return
            live = services.sessions.count_live(services.lifetimes, now=services.clock())
            yield GaugeMetricFamily("vestibule_sessions", "Sessions that are live.", value=live)
            accounts = GaugeMetricFamily("vestibule_accounts", "Accounts by state.", labels=["state"])
            for state, count in services.accounts.count().items():
                accounts.add_metric([state], count)
            yield accounts
        except Unavailable:
            return


def _only(collector: _Gauges) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return registry
