"""Who may speak to us, and what every answer carries: proxy trust, Host, cross-site requests, headers.

The scheme and the host are facts of the settings, never of a request; a client's own forwarded headers
do not reach this process through nginx, and one address from the socket's peer is all that counts.
"""

from typing import Any, Final

from flask import Flask, Response, g, request
from flask_talisman import Talisman
from werkzeug.exceptions import Forbidden, NotFound
from werkzeug.middleware.proxy_fix import ProxyFix

from service.services import Services
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
    "script-src": "",  # the nonce alone: no file that lies here becomes a script
    "img-src": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": "'self'",
}


def init_app(app: Flask, services: Services) -> None:
    """Guard this app: who is asked for, who asks, and what goes out."""
    # One hop: the address that nginx wrote over whatever the client claimed. Host and scheme are not taken from it.
    behind = ProxyFix(app.wsgi_app, x_for=1, x_proto=0, x_host=0)
    front = Front(behind, scheme=services.public.scheme, headers=_plain_headers(services))
    app.wsgi_app = front  # type: ignore[method-assign]
    app.after_request(_complete)  # registered before Talisman, so it runs after it
    Talisman(
        app,
        force_https=False,  # nginx redirects; Talisman would copy the request's Host into the target
        strict_transport_security=services.public.is_https,
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
    """Stop a request for another name: a rebound or mistyped address must not see a sign-in page."""
    public = context.services().public
    if request.path in OPS_PATHS:
        return None
    if request.environ.get("HTTP_HOST", "").lower() in {public.netloc, f"{public.host}:{public.port}"}:
        return None
    return errors.wrong_host()


def _refuse_other_spelling() -> None:
    """Stop `//logout` and the like, which the router reads as `/logout`: one page has one address."""
    if request.environ["PATH_INFO"].startswith("//"):
        raise NotFound


def _refuse_cross_site() -> None:
    """Stop forms that another site submits in a signed-in person's name, sign-in itself included."""
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
    """Let this page's form end at one validated origin: Chromium holds redirects after a POST to form-action."""
    g.form_origin = origin


def _complete(response: Response) -> Response:
    """Add what Talisman does not know of; what depends on who asks is never stored."""
    headers: Any = response.headers
    headers.update(_ISOLATION)
    headers.setdefault("Cache-Control", "no-store")
    policy = headers["Content-Security-Policy"].replace("  ", " ")
    if g.get("form_origin"):
        policy = policy.replace("form-action 'self'", f"form-action 'self' {g.form_origin}")
    headers["Content-Security-Policy"] = policy
    return response


def _plain_headers(services: Services) -> dict[str, str]:
    """Return the headers of an answer that no part of Flask had a hand in."""
    headers = {
        "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    if services.public.is_https:
        headers["Strict-Transport-Security"] = f"max-age={TWO_YEARS_SECONDS}; includeSubDomains"
    return headers | _ISOLATION
