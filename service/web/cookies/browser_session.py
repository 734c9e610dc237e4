"""The session cookie: read, issue, clear. Nothing else touches the cookie."""

from typing import cast

from flask import Response, g, request

from service.access import session_cookie
from service.login.audit import Entry, Happened
from service.login.sessions import SignedIn, may_be_used
from service.login.sign_in import Opened
from service.web import context
from service.web.cookies import reading
from service.web.telemetry import reporting as telemetry


def current() -> SignedIn | None:
    """Return the session of this request and its account; looked up once."""
    if "signed_in" not in g:
        g.signed_in = _look_up()
    return cast("SignedIn | None", g.signed_in)


def _look_up() -> SignedIn | None:
    services, hashes = context.services(), session_cookie.token_hashes(_sent())
    found = session_cookie.look_up(hashes, sessions=services.sessions, lifetimes=services.lifetimes, now=context.now())
    for old in found.expired:
        telemetry.event("session_use_after_expire", account=old.account.username, session=old.session.id)
    return found.live


def presented() -> bytes | None:
    """Return the token hash of the live session, else that of the first token that the browser sent."""
    signed_in = current()
    return signed_in.session.token_hash if signed_in else next(iter(session_cookie.token_hashes(_sent())), None)


def issue(response: Response, opened: Opened) -> None:
    """Set the new token: until the browser closes, or for as long as a remembered session may live."""
    services = context.services()
    _, absolute = services.lifetimes.of(remembered=opened.session.remembered)
    _set(response, opened.token, max_age=absolute if opened.session.remembered else None)


def end(response: Response, *, reason: str) -> None:
    """End every session whose token this browser sent; the rows are gone before the answer leaves.

    The cookie is blanked here and deleted by the page that follows. Chromium drops pages from its back/forward cache
    when cookies change, but forgives a page as many changes as the answers that led to it made: after one change
    alone, "back" would show the page that signing in had led to.
    """
    current()  # the request's log line names the account
    services, now = context.services(), context.now()
    for token_hash in session_cookie.token_hashes(_sent()):
        found = services.sessions.find(token_hash)
        if found and may_be_used(found, services.lifetimes, now=now):
            _end(found, reason)
        elif found:
            services.sessions.end(token_hash)  # an expired session: nothing to report
    if _sent():
        _set(response, "", max_age=None)


def _end(found: SignedIn, reason: str) -> None:
    services, account, session = context.services(), found.account.username, found.session.id
    address = context.client().address
    entry = Entry(context.now(), Happened.SESSION_ENDED, account, address, "browser", reason, detail=session)
    with services.transaction():
        if not services.sessions.end(found.session.token_hash):
            return
        services.audit.add(entry)
    telemetry.event(Happened.SESSION_ENDED, account=account, session=session, reason=reason)


def clear_if_dead(response: Response) -> None:
    """Delete cookies of which none opens a session, under each domain that they may have been set with.

    Never after a POST: the second request of a double click carries the token that the first one has just replaced,
    and must not delete the new one.
    """
    if request.method in {"GET", "HEAD"} and _sent() and current() is None:
        services = context.services()
        for domain in session_cookie.domains(services.public, services.cookie_domain):
            reading.set_cookie(response, services.session_cookie, "", max_age=0, domain=domain)


def _sent() -> list[str]:
    return reading.sent(context.services().session_cookie)


def _set(response: Response, value: str, *, max_age: int | None) -> None:
    name = context.services().session_cookie
    reading.set_cookie(response, name, value, max_age=max_age, domain=reading.shared_domain())
