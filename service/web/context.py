"""What a request can reach: the services, the clock's reading for this request, and who its client is."""

import ipaddress
from typing import cast

from flask import Flask, current_app, g, request

from service.login.sign_in import Client
from service.login.stores import Stores
from service.services import Services

_KEY = "vestibule"
_STORES = "vestibule.stores"
_SHOWN_USER_AGENT = 200


def install(app: Flask, services: Services) -> None:
    """Hand the services to every request of this app."""
    app.extensions[_KEY] = services
    app.extensions[_STORES] = services.stores


def services() -> Services:
    """Return the services of the app that answers."""
    return cast("Services", current_app.extensions[_KEY])


def stores() -> Stores:
    """Return what the rules of the app that answers are handed."""
    return cast("Stores", current_app.extensions[_STORES])


def now() -> int:
    """Return one reading of the clock for the whole request, in seconds since the epoch."""
    if "now" not in g:
        g.now = services().clock()
    return cast("int", g.now)


def client() -> Client:
    """Return the peer's address as nginx saw it, and the beginning of what its browser calls itself."""
    if "client" not in g:
        shown = "".join(filter(str.isprintable, request.headers.get("User-Agent", "")))[:_SHOWN_USER_AGENT]
        g.client = Client(_address(request.remote_addr or ""), shown)
    return cast("Client", g.client)


def _address(text: str) -> str:
    """Return the address in its one spelling; what is none is not repeated (into rows and log lines of any length)."""
    try:
        return "unknown" if "%" in text else str(ipaddress.ip_address(text))
    except ValueError:
        return "unknown"
