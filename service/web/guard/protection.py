"""Which requests are answered, and the headers of every answer: proxy trust, Host, cross-site requests.

Scheme and host come from the settings, never from a request; the client's address is the one that nginx sends, which
passes on no forwarded header of a client.
"""

from typing import Final
from wsgiref.types import WSGIApplication

from flask import Flask, Response, g, request
from flask_talisman import Talisman
from werkzeug.exceptions import Forbidden, NotFound
from werkzeug.middleware.proxy_fix import ProxyFix

from service.access.public_address import PublicAddress
from service.web import context, errors
from service.web.front import SAFE_METHODS, Front
from service.web.telemetry import reporting as telemetry
from service.web.telemetry.ops_pages import OPS_PATHS

TWO_YEARS_SECONDS: Final = 2 * 365 * 24 * 60 * 60
_ISOLATION: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), "
    "publickey-credentials-create=(self), publickey-credentials-get=(self)",
}
_SHOWN_ORIGIN: Final = 100
_POLICY: Final = {
    "default-src": "'none'",
    "object-src": "'none'",
    "style-src": "'self'",
    "script-src": "",  # the nonce alone
    "img-src": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": "'self'",
}


def init_app(app: Flask, public: PublicAddress, door: WSGIApplication) -> None:
    """Register the checks of every request and the headers of every answer; the door stands beside the app."""
    behind = ProxyFix(app.wsgi_app, x_for=1, x_proto=0, x_host=0)  # the address alone, from one hop: nginx
    app.wsgi_app = Front(behind, door=door, scheme=public.scheme)  # type: ignore[method-assign]
    app.after_request(_complete)  # registered before Talisman, so it runs after it
    Talisman(
        app,
        force_https=False,  # nginx redirects; Talisman would copy the request's Host into the Location
        strict_transport_security=public.is_https,
        strict_transport_security_max_age=TWO_YEARS_SECONDS,
        frame_options="DENY",
        content_security_policy=_POLICY,
        content_security_policy_nonce_in=["style-src", "script-src"],
        referrer_policy="same-origin",
        permissions_policy={},
    )
    app.before_request(_refuse_foreign_host)
    app.before_request(_refuse_other_spelling)
    app.before_request(_refuse_cross_site)


def _refuse_foreign_host() -> Response | None:
    """Stop requests for another Host: DNS rebinding, and mistyped addresses."""
    public, host = context.services().public, request.environ.get("HTTP_HOST", "").lower()
    is_ours = host in {public.netloc, f"{public.host}:{public.port}"} or request.path in OPS_PATHS
    return None if is_ours else errors.wrong_host()


def _refuse_other_spelling() -> None:
    """Stop `//logout` and the like, which the router reads as `/logout`: one page has one address."""
    if request.environ["PATH_INFO"].startswith("//"):
        raise NotFound


def _refuse_cross_site() -> None:
    """Stop forms that another site submits (CSRF), sign-in included."""
    if request.method in SAFE_METHODS:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        allowed = site in {"same-origin", "none"}
    elif origin is not None:
        allowed = origin == context.services().public.origin
    else:
        allowed = not request.headers.get("Cookie")
    if not allowed:
        telemetry.event("malicious_csrf", site=(site or "")[:_SHOWN_ORIGIN], origin=(origin or "")[:_SHOWN_ORIGIN])
        raise Forbidden


def allow_form_to(origin: str | None) -> None:
    """Add a validated origin to this page's form-action: Chromium checks it against the redirect after a POST, too."""
    g.form_origin = origin


def _complete(response: Response) -> Response:
    """Add the headers that Talisman does not know of. No answer of the service may be stored."""
    headers = response.headers
    headers.update(_ISOLATION)
    headers["Cache-Control"] = "no-store"
    policy = headers["Content-Security-Policy"].replace("  ", " ")
    if g.get("form_origin"):
        policy = policy.replace("form-action 'self'", f"form-action 'self' {g.form_origin}")
    headers["Content-Security-Policy"] = policy
    return response
