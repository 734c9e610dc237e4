"""The cookie that makes a browser known (`login/device_cookies.py`). It opens nothing, and outlives signing out."""

from dataclasses import replace

from flask import Response

from service.login import device_cookies
from service.login.accounts import Account
from service.login.device_cookies import LIFETIME
from service.login.sign_in import Client, Opened
from service.web import context
from service.web.cookies import reading


def presented() -> str:
    """Return what the browser sent."""
    return next(iter(reading.sent(reading.host_name("device"))), "")


def with_cookie(client: Client) -> Client:
    """Return the client with what its browser sent, for the rules to judge."""
    return replace(client, device_cookie=presented())


def issue(response: Response, opened: Opened) -> None:
    """Make this browser known to the account that signed in."""
    reading.give(response, reading.host_name("device"), opened.device_cookie, max_age=LIFETIME)


def issue_to_owner(response: Response, account: Account) -> None:
    """Make this browser known to an account whose password was just chosen in it."""
    device_cookie = device_cookies.issue(account, presented(), keys=context.services().keys, now=context.now())
    reading.give(response, reading.host_name("device"), device_cookie, max_age=LIFETIME)
