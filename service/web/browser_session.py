"""The session cookie: issue, read, clear. Nothing else touches it."""

from contextlib import suppress
from typing import cast

from flask import Response, g, request

from service.login.audit import Entry, Happened
from service.login.sessions import SignedIn, hash_of_claimed, may_be_used, seen_is_due
from service.login.sign_in import Opened
from service.services import Services, Unavailable
from service.web import context, cookies
from service.web.telemetry import reporting as telemetry


def cookie_name(services: Services) -> str:
    """Return the cookie's name; its prefix says whether it is this host's alone or shared (RFC 6265bis, 4.1.3).

    Browsers refuse the prefixes' `Secure` on plain http://localhost in part, so there it has neither.
    """
    if not services.public.is_https:
        return "vestibule_session"
    return "__Secure-vestibule" if services.cookie_domain else "__Host-vestibule"


def presented() -> bytes | None:
    """Return the hash of the token that the browser sent, or None."""
    value = _sent()
    return hash_of_claimed(value) if value is not None else None


def _sent() -> str | None:
    return cookies.sent(cookie_name(context.services()))


def current() -> SignedIn | None:
    """Return who is signed in, once a request; the time of last use is written at most once a minute."""
    if "signed_in" not in g:
        g.signed_in = _look_up()
    return cast("SignedIn | None", g.signed_in)


def _look_up() -> SignedIn | None:
    services, token_hash, now = context.services(), presented(), context.now()
    found = services.sessions.find(token_hash) if token_hash else None
    if found is None:
        return None
    if not may_be_used(found, services.lifetimes, now=now):
        telemetry.event("session_use_after_expire", account=found.account.username, session=found.session.id)
        return None
    if seen_is_due(found.session, now=now):
        with suppress(Unavailable):  # a full disk keeps nobody out who is in
            services.sessions.touch(found.session.token_hash, now=now)
    return found


def issue(response: Response, opened: Opened) -> None:
    """Give the browser its new token: until it closes, or for as long as a remembered session may live."""
    services = context.services()
    _, absolute = services.lifetimes.of(remembered=opened.session.remembered)
    _set(response, opened.token, max_age=absolute if opened.session.remembered else None)


def end(response: Response, *, reason: str) -> None:
    """End this browser's session, if it has one; the row is gone before the answer leaves.

    The cookie is blanked here and deleted by the page that follows. Chromium drops pages from its back/forward cache
    when cookies change, but forgives a page as many changes as the answers that led to it made: after one change
    alone, "back" would show the page that signing in had led to.
    """
    signed_in, token_hash = current(), presented()
    if token_hash and signed_in:
        _end(token_hash, signed_in, reason)
    elif token_hash:
        context.services().sessions.end(token_hash)  # over already: the row need not wait to be swept
    if _sent():
        _set(response, "", max_age=None)


def _end(token_hash: bytes, signed_in: SignedIn, reason: str) -> None:
    services, account, session = context.services(), signed_in.account.username, signed_in.session.id
    said = Entry(
        context.now(), Happened.SESSION_ENDED, account, context.client().address, "browser", reason, detail=session
    )
    with services.transaction():
        if not services.sessions.end(token_hash):
            return
        services.audit.add(said)
    telemetry.event(Happened.SESSION_ENDED, account=account, session=session, reason=reason)


def clear_if_dead(response: Response) -> None:
    """Take away a cookie that opens nothing any more, so that it is not sent for ever.

    Never after a POST: the second of a double click comes with the token that the first one has just
    replaced, and must not take the new one away.
    """
    if request.method == "GET" and _sent() is not None and current() is None:
        _set(response, "", max_age=0)


def _set(response: Response, value: str, *, max_age: int | None) -> None:
    services = context.services()
    domain = services.cookie_domain if services.public.is_https else None
    cookies.give(response, cookie_name(services), value, max_age=max_age, domain=domain)
