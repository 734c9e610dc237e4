"""The pages on the ops listener: `/metrics`, `/healthz`, `/readyz`. No request for them is counted or logged."""

from collections.abc import Callable
from typing import Final

from flask import Flask, Response
from prometheus_client import CONTENT_TYPE_LATEST

from service import drain
from service.services import Unavailable
from service.web import context

OPS_PATHS: Final = frozenset({"/metrics", "/healthz", "/readyz"})
_PLAIN: Final = "text/plain; charset=utf-8"


def init_app(app: Flask, scrape: Callable[[], bytes]) -> None:
    """Serve what `scrape` returns, and how this process is."""
    app.add_url_rule("/metrics", "metrics", lambda: Response(scrape(), content_type=CONTENT_TYPE_LATEST))
    app.add_url_rule("/healthz", view_func=_healthz)
    app.add_url_rule("/readyz", view_func=_readyz)


def _healthz() -> Response:
    """Answer that this process answers; no store is asked, so that a lost database restarts nothing."""
    return Response("ok\n", content_type=_PLAIN)


def _readyz() -> Response:
    """Answer whether this replica should get requests: its tables were seen, and it was not told to end.

    A database that is lost later is no reason to leave: every replica would, and none would say why.
    """
    text = "draining: this instance was told to end\n" if drain.is_on() else "ok\n"
    try:
        if context.services().health.migrations_pending():
            text = "migrations are missing: vestibule db upgrade\n"
    except Unavailable:
        text = "the database has not answered since the start\n"
    return Response(text, 200 if text == "ok\n" else 503, content_type=_PLAIN)
