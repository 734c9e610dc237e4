"""The one redirect: 303, so that a POST with credentials is never repeated elsewhere (RFC 9110, 15.4.4)."""

from typing import TYPE_CHECKING

from flask import Response
from werkzeug.datastructures import Headers

from service.access.return_to import destination
from service.web import context

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class _SeeOther(Response):
    """An answer whose Location is what it was given: Werkzeug would encode it once more where it is sent."""

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        headers = super().get_wsgi_headers(environ)
        headers["Location"] = self.headers["Location"]
        return headers


def see_other(url: str) -> Response:
    """Send the browser to an address of ours, or to what `validated` returned; the address goes out as it is."""
    response = _SeeOther(status=303)
    response.headers["Location"] = url
    return response


def validated(target: str | None) -> str | None:
    """Return where `target` may lead, or None: the rule with this service's own address and list."""
    services = context.services()
    return destination(target, public=services.public, origins=services.return_origins)
