"""The cookie that makes a browser known (`login/devices.py`). It opens nothing, and outlives signing out."""

from flask import Response

from service.login.devices import LIFETIME
from service.login.sign_in import Opened
from service.web import context, cookies


def cookie_name() -> str:
    """Return the cookie's name: this host's alone, whoever shares the session (RFC 6265bis, 4.1.3)."""
    return "__Host-vestibule-device" if context.services().public.is_https else "vestibule_device"


def presented() -> str:
    """Return what the browser sent, for the rules to judge."""
    return cookies.sent(cookie_name()) or ""


def issue(response: Response, opened: Opened) -> None:
    """Make this browser known to the account that signed in."""
    cookies.give(response, cookie_name(), opened.introduction, max_age=LIFETIME)
