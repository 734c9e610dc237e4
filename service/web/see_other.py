"""The one redirect: 303, so that a POST with credentials is never repeated elsewhere (RFC 9110, 15.4.4)."""

from flask import Response

from service.access.return_to import destination
from service.web import context


def see_other(url: str) -> Response:
    """Send the browser to an address of ours, or to what `validated` returned; the address goes out as it is."""
    response = Response(status=303)
    response.headers["Location"] = url
    return response


def validated(target: str | None) -> str | None:
    """Return where `target` may lead, or None: the rule with this service's own address and list."""
    services = context.services()
    return destination(target, public=services.public, origins=services.return_origins)
