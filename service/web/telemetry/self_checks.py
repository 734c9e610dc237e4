"""What a worker sees of a wrong set-up or of a lost store, as metrics and in the log.

Each gauge has the value of the worker that sees the worst, and a worker's value goes with it: every worker gives a
scrape the same answer.
"""

import ipaddress
import threading
import time
from collections import Counter, deque
from typing import Final, NamedTuple

import structlog
from flask import Flask, request
from prometheus_client import Gauge

from service.login.networks import address_of
from service.services import Services
from service.web import context
from service.web.telemetry import reporting

WINDOW: Final = 20
SHARE: Final = 0.95
WARN_EVERY_SECONDS: Final = 3600
# RFC 1918, 4193, 3927, 4291, 6598 (networks of providers and of virtual machines).
_PRIVATE: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
)


def init_app(app: Flask, services: Services) -> None:
    """Check this app. On plain http every client's address is this machine's, so no proxy is looked for."""
    degraded = _gauge(
        app, "vestibule_counter_store_degraded", "Whether a worker counts limits in SQL because Redis does not answer."
    )
    services.health.on_change(degraded.set)
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


class Suspicion(NamedTuple):
    """The private address that nearly all sign-ins come from, if there is one, and whether a warning is due."""

    address: str | None
    is_due: bool


class SignIns:
    """Where the last sign-ins of one worker came from; safe for threads.

    One private address is most likely a proxy that is not trusted: all clients behind it share one client's limits.
    """

    def __init__(self) -> None:
        self._last: deque[str] = deque(maxlen=WINDOW)
        self._warned_at = float("-inf")
        self._lock = threading.Lock()

    def come_from(self, address: str, *, now: float) -> Suspicion:
        """Add one sign-in; return what the last ones say together, at `now` of a clock that never goes back."""
        with self._lock:
            self._last.append(address)
            ((commonest, times),) = Counter(self._last).most_common(1)
            suspect = _private(commonest) if len(self._last) == WINDOW and times >= SHARE * WINDOW else None
            is_due = suspect is not None and now - self._warned_at >= WARN_EVERY_SECONDS
            if is_due:
                self._warned_at = now
        return Suspicion(suspect, is_due)


def advice(address: str) -> str:
    return (
        f"nearly all sign-ins come from {address}: if that is a proxy, its clients share the limits of one client. "
        f"Add {address} (or its network) to VESTIBULE_TRUSTED_PROXIES, and have the proxy send X-Forwarded-For"
    )


def _private(text: str) -> str | None:
    """Return a private address as an operator types it (IPv4-mapped IPv6 as IPv4), or None for any other text."""
    address = address_of(text)
    return str(address) if address and any(address in network for network in _PRIVATE) else None
