"""The device cookie (`login/device_cookies.py`): it opens no session, and outlives signing out."""

from flask import Response

from service.login import device_cookies
from service.login.accounts import Account
from service.web import context
from service.web.cookies import reading


def issue(response: Response, account: Account) -> None:
    """Make this browser a known device of an account that signed in with it, or whose password was chosen in it."""
    sent, keys = context.client().device_cookie, context.services().keys
    value = device_cookies.issue(account, sent, keys=keys, now=context.now())
    reading.give(response, reading.host_name(context.DEVICE_COOKIE), value, max_age=device_cookies.LIFETIME)
