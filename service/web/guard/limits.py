"""The outer limit: POSTs by network, except signing out, counted by Flask-Limiter for all workers together."""

import hashlib
import hmac
import logging
import math
import time

from flask import Flask, Response, request
from flask_limiter import Limiter, RateLimitExceeded

from service.login.networks import network_of
from service.services import OuterLimit
from service.web import errors
from service.web.telemetry import reporting as telemetry

WINDOW_SECONDS = 60
SCOPE = "posts"


def init_app(app: Flask, limit: OuterLimit) -> None:
    """Answer 429 with Retry-After once a network sent too many POSTs in a minute."""

    def bucket() -> str:
        """Return a keyed digest of the client's network: the counters hold no address."""
        return hmac.new(limit.key, network_of(request.remote_addr or "").encode(), hashlib.sha256).hexdigest()

    limiter = Limiter(
        bucket,
        app=app,
        application_limits=[f"{limit.posts_per_minute} per minute"],
        strategy="fixed-window",
        storage_uri=limit.storage_uri,
        storage_options=dict(limit.storage_options),
        in_memory_fallback_enabled=False,
        swallow_errors=False,
    )
    limiter.logger.setLevel(logging.WARNING)  # each refusal has an event of ours
    limiter.request_filter(_is_not_counted)
    app.register_error_handler(RateLimitExceeded, lambda _: _too_many(limiter))


def _is_not_counted() -> bool:
    """Whether a request is free. Signing out always is: it guesses no password and costs as little as a page."""
    return request.method != "POST" or request.path == "/logout"


def _too_many(limiter: Limiter) -> Response:
    telemetry.count_throttled(SCOPE)
    telemetry.event("excess_rate_limit_exceeded", scope=SCOPE)
    reset_at = limiter.current_limit.reset_at if limiter.current_limit else 0
    left = math.ceil(reset_at - time.time())
    return errors.answer(429, retry_after=min(max(1, left), WINDOW_SECONDS))  # bounded: the clock may have been set
