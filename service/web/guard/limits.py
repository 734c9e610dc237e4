"""The coarse outer limit on POSTs (not on signing out), by network, with Flask-Limiter on counters of all workers."""

import hashlib
import hmac
import logging
import math
import time
from collections.abc import Callable

from flask import Flask, Response, request
from flask_limiter import ApplicationLimit, Limiter, RateLimitExceeded

from service.login.networks import network_of
from service.services import OuterLimit
from service.web import errors
from service.web.telemetry import reporting as telemetry

WINDOW_SECONDS = 60
SCOPE = "posts"


def init_app(app: Flask, limit: OuterLimit) -> None:
    """Count POSTs by network, and answer 429 with the time to come back once there were too many in a minute."""
    limiter = Limiter(
        _keyed(limit.key),
        app=app,
        application_limits=[ApplicationLimit(f"{limit.posts_per_minute} per minute", methods=["POST"])],
        strategy="fixed-window",
        storage_uri=limit.storage_uri,
        storage_options=dict(limit.storage_options),
        in_memory_fallback_enabled=False,
        swallow_errors=False,
    )
    limiter.logger.setLevel(logging.WARNING)  # what it says of each refusal stands in our own event
    limiter.request_filter(_is_free)  # else every page pays for learning that it is free
    app.register_error_handler(RateLimitExceeded, lambda error: _too_many(limiter, error))


def _is_free() -> bool:
    """Whether a request counts nothing. Signing out works always: it costs as little as a page and makes no guess."""
    return request.method != "POST" or request.path == "/logout"


def _keyed(key: bytes) -> Callable[[], str]:
    """Name buckets by a keyed digest: no separator to forge, and no address left behind in the counters."""

    def bucket() -> str:
        return hmac.new(key, network_of(request.remote_addr or "").encode(), hashlib.sha256).hexdigest()

    return bucket


def _too_many(limiter: Limiter, _error: RateLimitExceeded) -> Response:
    telemetry.count_throttled(SCOPE)
    telemetry.event("excess_rate_limit_exceeded", scope=SCOPE)
    reset_at = limiter.current_limit.reset_at if limiter.current_limit else 0
    left = math.ceil(reset_at - time.time())
    return errors.answer(429, retry_after=min(max(1, left), WINDOW_SECONDS))  # also when the clock jumped meanwhile
