"""The device cookie of this browser (`login/device_cookies.py`). It opens nothing, and stays after signing out."""

from dataclasses import replace
from typing import Final

from flask import Response

from service.login import device_cookies
from service.login.accounts import Account
from service.login.sign_in import Client, Opened
from service.web import context
from service.web.cookies.reading import HostCookie

_COOKIE: Final = HostCookie("device", device_cookies.LIFETIME)


def with_cookie(client: Client) -> Client:
    """Return the client with the device cookie that its browser sent; the rules verify it."""
    return replace(client, device_cookie=_COOKIE.value())


def issue(response: Response, opened: Opened) -> None:
    """Issue the device cookie of a new session."""
    _COOKIE.set(response, opened.device_cookie)


def issue_to_owner(response: Response, account: Account) -> None:
    """Issue a device cookie for an account whose password was just chosen in this browser."""
    keys, now = context.services().keys, context.now()
    _COOKIE.set(response, device_cookies.issue(account, _COOKIE.value(), keys=keys, now=now))
