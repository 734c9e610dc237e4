"""What the app's request is to carry, in the answer that lets it pass. nginx knows the app's names, and cuts by itself.

Other proxies put these headers into the request as they are: not all of them can rename a header or cut a cookie.
"""

from dataclasses import astuple
from typing import Final

from service.access import identity_headers, session_cookie
from service.access.app_passwords import holds_app_password
from service.access.apps import App
from service.web.door.original import Original, Source

Header = tuple[str, str]
Identity = tuple[str, str, str, str]
_NAMES: Final = astuple(identity_headers.DEFAULT)


def headers(identity: Identity, original: Original | None, app: App | None) -> list[Header]:
    """Return the identity, always all of it, so that none of a client's own is left; for other proxies, all."""
    if original is None or app is None or original.source is not Source.PROXY:
        return list(zip(_NAMES, identity, strict=True))
    named = [*zip(_NAMES, identity, strict=True), *zip(astuple(app.headers), identity, strict=True)]
    return [*{name.lower(): (name, value) for name, value in named}.values(), *_sent(original)]


def _sent(original: Original) -> list[Header]:
    """Return what the client sent, without our cookies and app passwords. Without a value a proxy sends no header."""
    authorization = "" if holds_app_password(original.authorization) else original.authorization
    sent = session_cookie.without_ours(original.cookie), authorization
    return [each for each in zip(identity_headers.FROM_CLIENTS, sent, strict=True) if each[1]]
