"""The probe cookie: one with the attributes of the session cookie, set with the sign-in form.

A browser that does not send it with the form would not keep the session either. To say so at once is better than to
send the browser from page to page without one.
"""

from typing import Final

from flask import Response, request

from service.access import session_cookie
from service.web import context
from service.web.cookies import reading, trouble
from service.web.messages import Message
from service.web.telemetry import reporting as telemetry

_LIFETIME: Final = 30 * 24 * 60 * 60  # a form may be left open


def offer(response: Response) -> None:
    reading.set_cookie(response, _name(), "1", max_age=_LIFETIME, domain=reading.shared_domain())


def refused() -> Message | None:
    """Return what to say to a browser that sent the form with neither the probe cookie nor a session cookie.

    Only a browser says that it opens a page: a program has seen no form, and is not asked for it.
    """
    services = context.services()
    is_page = request.headers.get("Sec-Fetch-Mode") == "navigate"
    if not is_page or reading.sent(_name()) or reading.sent(services.session_cookie):
        return None
    message = trouble.refused(services.public, services.cookie_domain)
    telemetry.warning("cookie_refused", because=message.text)
    return message


def _name() -> str:
    services = context.services()
    return session_cookie.probe_cookie_name(services.public, services.cookie_domain)
