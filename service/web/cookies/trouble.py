"""Why a session does not arrive: what to say to the person, and which setting the operator looks at."""

from typing import Final

from service.access.apps import App, receives_session_cookie
from service.access.public_address import PublicAddress
from service.access.session_cookie import cookie_name
from service.web.messages import Message

_REFUSED: Final = (
    "Signing in needs a cookie, and your browser did not keep it. Allow cookies for this site in your browser's "
    "settings, then try again."
)
_BY_HTTP: Final = "\nIf the address of this page begins with http://, open {origin} instead (VESTIBULE_PUBLIC_URL)."
_SUFFIX: Final = (
    "\nIf no browser keeps it, {domain} may be a domain whose cookies browsers refuse, as they refuse those of co.uk "
    "(VESTIBULE_SESSIONS__COOKIE_DOMAIN)."
)
_LOST: Final = "You are signed in, but {title} does not learn of it: it has sent your browser back here three times.\n"
_OTHER_SCHEME: Final = "It is at {origin}, and this service at {public}: both need https (VESTIBULE_PUBLIC_URL)."
_OUTSIDE: Final = (
    "Browsers do not send the session to {origin}: VESTIBULE_SESSIONS__COOKIE_DOMAIN is {domain}, and the app lies "
    "outside of that."
)
_PROXY: Final = (
    "The proxy in front of {origin} does not pass on the cookie {cookie}, or asks another service. To learn which line "
    "to change, type: vestibule doctor {origin}"
)


def refused(public: PublicAddress, cookie_domain: str | None) -> Message:
    """Return the words about a browser that keeps no cookie with the attributes of the session's."""
    by_http = _BY_HTTP.format(origin=public.origin) if public.is_https else ""
    suffix = _SUFFIX.format(domain=cookie_domain) if public.is_https and cookie_domain else ""
    return Message("cookie_refused", "Your browser keeps no cookie", _REFUSED + by_http + suffix)


def lost(app: App, public: PublicAddress, cookie_domain: str | None) -> Message:
    """Return the words about an app that asks for signing in again and again, although the browser is signed in."""
    why = _PROXY
    if app.address.scheme != public.scheme:
        why = _OTHER_SCHEME
    elif not receives_session_cookie(app.address, public, cookie_domain):
        why = _OUTSIDE
    facts = {
        "title": app.title,
        "origin": app.address.origin,
        "public": public.origin,
        "domain": cookie_domain or "not set",
        "cookie": cookie_name(public, cookie_domain),
    }
    return Message("session_lost", "The way back is broken", (_LOST + why).format(**facts))
