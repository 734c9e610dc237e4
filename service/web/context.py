"""What a request can reach: the services, the clock's reading for this request, and who its client is."""

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
    """Hand the services to every request of this app."""
    app.extensions[_KEY] = services


def services() -> Services:
    """Return the services of the app that answers."""
    return cast("Services", current_app.extensions[_KEY])


def now() -> int:
    """Return one reading of the clock for the whole request, in seconds since the epoch."""
    if "now" not in g:
        g.now = services().clock()
    return cast("int", g.now)


def client() -> Client:
    """Return the peer's address as nginx saw it, the beginning of its User-Agent, and its device cookie.

    Text that is no address is not repeated: it would go into rows and log lines at any length.
    """
    if "client" not in g:
        address = str(address_of(request.remote_addr or "") or UNKNOWN)
        shown = "".join(filter(str.isprintable, request.headers.get("User-Agent", "")))[:_SHOWN_USER_AGENT]
        name = session_cookie.host_cookie_name(services().public, DEVICE_COOKIE)
        device_cookies = session_cookie.sent(request.headers.get("Cookie", ""), name)
        g.client = Client(address, shown, next(iter(device_cookies), ""))
    return cast("Client", g.client)
