"""The cookie that makes a browser known (`login/devices.py`). It opens nothing, and outlives signing out."""

from dataclasses import replace

from flask import Response

from service.login import devices
from service.login.accounts import Account
from service.login.devices import LIFETIME
from service.login.sign_in import Client, Opened
from service.web import context, cookies


def presented() -> str:
    """Return what the browser sent."""
    return next(iter(cookies.sent(cookies.host_name("device"))), "")


def with_cookie(client: Client) -> Client:
    """Return the client with what its browser sent, for the rules to judge."""
    return replace(client, known_by=presented())


def issue(response: Response, opened: Opened) -> None:
    """Make this browser known to the account that signed in."""
    cookies.give(response, cookies.host_name("device"), opened.known_by, max_age=LIFETIME)


def introduce(response: Response, account: Account) -> None:
    """Make this browser known to an account whose password was just chosen in it."""
    known_by = devices.introduce(account, presented(), keys=context.services().keys, now=context.now())
    cookies.give(response, cookies.host_name("device"), known_by, max_age=LIFETIME)
