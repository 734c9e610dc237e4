"""The door's two questions. /auth/verify says yes or no (nginx knows 200, 401 and 403); /auth/forward answers in full.

nginx turns any other answer to /auth/verify into an error, so a store that is away lets no request pass. Neither
answer has Cache-Control, Expires or Set-Cookie: nginx would obey them in place of X-Accel-Expires.
"""

import time
from collections.abc import Iterable
from typing import Final
from wsgiref.types import StartResponse, WSGIEnvironment

import structlog

from service.access import identity_headers, probe
from service.login.attempts import Scope
from service.services import Services, Unavailable
from service.web.door import app_request, pages, refusals
from service.web.door.app_request import Header
from service.web.door.check import Apart, Checked, Checks, Credential
from service.web.door.kinds import asked
from service.web.door.original import Original, Source, original_of
from service.web.door.probe import Probes
from service.web.telemetry import events
from service.web.telemetry.counters import Counters

VERIFY: Final = "/auth/verify"


class Door:
    """The WSGI app for both questions."""

    def __init__(self, services: Services, counters: Counters) -> None:
        self._services, self._counters = services, counters
        self._checks = Checks(services)
        self._probes = Probes(services)
        pages.look_of(services.brand)  # made once, before workers are forked

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one question. A malfunction is the caller's to answer."""
        if environ["PATH_INFO"] == probe.PATH:
            return self._probes(environ, start_response)
        original = original_of(environ)
        if identity := self._probes.identity(environ, original):
            app = self._services.apps().app_of(original.origin) if original else None
            start_response("200 OK", _yes(app_request.headers(identity, original, app), Credential.NONE))
            return []
        try:
            return self._decided(original, environ, start_response)
        except Unavailable as fault:
            structlog.get_logger().warning("store_unavailable", detail=str(fault), request_id=_request_id(environ))
            return _unavailable(environ, start_response)

    def _decided(
        self, original: Original | None, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        is_verify, is_nginx = environ["PATH_INFO"] == VERIFY, original is not None and original.source is Source.NGINX
        is_first = is_verify or not is_nginx  # nginx asks again after a no
        checked = self._checks.check(original, counts=is_first)
        if is_first:
            self._count(checked)
        if original and is_nginx:
            is_older = original.rules != self._services.apps().hash
            self._counters.edge_files.note(outdated=is_older, moment=time.monotonic())
        if checked.passes and is_first:
            start_response("200 OK", _passed(checked))
            return []
        if checked.passes:  # since nginx's first question: it would show this answer in place of the app's
            return _unavailable(environ, start_response)
        if is_verify:
            status = "401 Unauthorized" if checked.may_sign_in else "403 Forbidden"
            start_response(status, [("Content-Length", "0")])
            return []
        answer = refusals.answer(checked, asked(environ), self._services, request_id=_request_id(environ))
        start_response(answer.status, answer.headers)
        return [answer.body]

    def _count(self, checked: Checked) -> None:
        app, decision = checked.app.name if checked.app else "", checked.decision
        rule = decision.enforced.rule if decision else None
        if checked.outcome is Apart.THROTTLED:
            self._counters.throttled.labels(Scope.APP_PASSWORD_NETWORK.value).inc()
        count = self._counters.door_checks
        count.labels(app, str(rule.number) if rule else "", checked.outcome.value, "true").inc()
        if decision and decision.proposed.outcome is not decision.enforced.outcome:
            rule = decision.proposed.rule
            count.labels(app, str(rule.number) if rule else "", decision.proposed.outcome.value, "false").inc()


def _unavailable(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    away = refusals.unavailable(environ, request_id=_request_id(environ))
    start_response(away.status, away.headers)
    return [away.body]  # nginx drops that of /auth/verify


def _passed(checked: Checked) -> list[tuple[str, str]]:
    told = app_request.headers(identity_headers.values(checked.account), checked.original, checked.app)
    return _yes(told, checked.credential, checked.cached_until)


def _yes(told: Iterable[Header], credential: Credential, cached_until: int = 0) -> list[Header]:
    until = f"@{cached_until}" if cached_until else "0"
    rest = [("Vestibule-Credential", credential.value), ("X-Accel-Expires", until), ("Content-Length", "0")]
    return [*told, *rest]


def _request_id(environ: WSGIEnvironment) -> str:
    return events.request_id(environ.get("HTTP_X_REQUEST_ID", ""))
