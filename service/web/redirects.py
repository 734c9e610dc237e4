"""The one redirect: 303, so that a POST with credentials is never repeated elsewhere (RFC 9110, 15.4.4)."""

from wsgiref.types import WSGIEnvironment

from flask import Response
from werkzeug.datastructures import Headers

from service.access.return_to import destination
from service.web import context


class _SeeOther(Response):
    """An answer with its Location as set: Werkzeug would encode the Location once more when it is sent."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        headers = super().get_wsgi_headers(environ)
        headers["Location"] = self.headers["Location"]
        return headers


def see_other(url: str) -> Response:
    """Redirect to a path of this service, or to what `validated` returned; `url` is sent as it is."""
    response = _SeeOther(status=303)
    response.headers["Location"] = url
    return response


def validated(target: str | None) -> str | None:
    """Return where `target` may lead by the settings of this service; None if nowhere."""
    services = context.services()
    apps = services.apps().origins
    return destination(target, public=services.public, origins=services.return_origins, apps=apps)
