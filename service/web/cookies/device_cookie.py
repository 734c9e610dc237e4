"""The device cookie (`login/device_cookies.py`): it opens no session, and stays after signing out."""

from typing import Final

from flask import Response

from service.login import device_cookies
from service.login.accounts import Account
from service.web import context
from service.web.cookies.reading import HostCookie

_COOKIE: Final = HostCookie(context.DEVICE_COOKIE, device_cookies.LIFETIME)


def issue(response: Response, account: Account) -> None:
    """Make this browser a known device of an account that signed in with it, or whose password was chosen in it."""
    sent, keys = context.client().device_cookie, context.services().keys
    _COOKIE.set(response, device_cookies.issue(account, sent, keys=keys, now=context.now()))
