"""Pages that need a session are handed it; without one, a browser is sent to sign in and back, a program gets 401."""

from collections.abc import Callable
from functools import wraps

from flask import Response, request

from service.login.sessions import SignedIn
from service.web import errors
from service.web.cookies import browser_session, notices
from service.web.redirects import see_other


def needs_session(page: Callable[[SignedIn], Response]) -> Callable[[], Response]:
    """Make a view of a page that takes the session it was asked with."""

    @wraps(page)
    def view() -> Response:
        signed_in = browser_session.current()
        return page(signed_in) if signed_in else sign_in_first()

    view.__dict__["needs_session"] = True  # tests/house_rules compares this with the table of routes
    return view


def sign_in_first() -> Response:
    """Answer 303 to the sign-in page, which leads back here, or 401 where the client prefers JSON."""
    if errors.prefers_json():
        return errors.answer(401)
    response = see_other(f"/?rd={request.path}")
    browser_session.clear_if_dead(response)
    if request.method == "POST":
        notices.leave(response, "signed-out-before")
    return response
