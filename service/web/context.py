"""What a request can reach: the services, the clock's reading for this request, and who its client is."""

from typing import cast

from flask import Flask, current_app, g, request

from service.login.networks import UNKNOWN, address_of
from service.login.sign_in import Client
from service.services import Services

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
    """Return the peer's address as nginx saw it, and the beginning of what its browser calls itself.

    What is no address is not repeated: it would go into rows and log lines at any length.
    """
    if "client" not in g:
        shown = "".join(filter(str.isprintable, request.headers.get("User-Agent", "")))[:_SHOWN_USER_AGENT]
        g.client = Client(str(address_of(request.remote_addr or "") or UNKNOWN), shown)
    return cast("Client", g.client)
