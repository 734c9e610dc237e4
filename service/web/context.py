"""The context of a request: the services, one reading of the clock, and the client."""

from typing import cast

from flask import Flask, current_app, g, request

from service.access import session_cookie
from service.login.networks import UNKNOWN, address_of
from service.login.sign_in import Client
from service.services import Services

DEVICE_COOKIE = "device"
_KEY = "vestibule"
_SHOWN_USER_AGENT = 200


def install(app: Flask, services: Services) -> None:
    app.extensions[_KEY] = services


def services() -> Services:
    return cast("Services", current_app.extensions[_KEY])


def now() -> int:
    """Return the time of this request, in seconds since the epoch."""
    if "now" not in g:
        g.now = services().clock()
    return cast("int", g.now)


def client() -> Client:
    """Return the client: its address as nginx saw it, else UNKNOWN, the start of its User-Agent, its device cookie."""
    if "client" not in g:
        address = str(address_of(request.remote_addr or "") or UNKNOWN)
        shown = "".join(filter(str.isprintable, request.headers.get("User-Agent", "")))[:_SHOWN_USER_AGENT]
        name = session_cookie.host_cookie_name(services().public, DEVICE_COOKIE)
        device_cookies = session_cookie.sent(request.headers.get("Cookie", ""), name)
        g.client = Client(address, shown, next(iter(device_cookies), ""))
    return cast("Client", g.client)
