"""Names of headers that tell an app about people: none that HTTP, browsers or proxies use themselves."""

import re
from typing import Final

from service.settings.kinds import InvalidValue, text

# Letters, digits and hyphens: programs that read headers as variables (CGI, WSGI) take _ and . for a hyphen.
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,63}", re.ASCII | re.IGNORECASE)
_OF_OTHERS: Final = re.compile(
    # Of messages, connections, caches and sign-in (RFC 9110, 9111, 9112, 6265, 7240, 8470, 9218), of WebDAV (RFC 4918).
    "connection|keep-alive|te|trailer|transfer-encoding|upgrade|http2-settings|via|expect|max-forwards|host|date|from"
    "|cookie2?|set-cookie2?|authorization|authentication-info|www-authenticate|cache-control|pragma|range|prefer"
    "|priority|early-data|depth|destination|lock-token|overwrite|timeout|dav"
    "|(?:accept|content|if|access-control)(?:-.*)?"
    # Of browsers.
    "|origin|referer|user-agent|dnt|last-event-id|sec-.*|x-requested-with"
    # Of proxies and tracing: how the request was sent, and from where. X-Forwarded-User is none of these.
    "|proxy(?:-.*)?|forwarded|x-forwarded|forwarded-for|x-forwarded-(?:for|by|server|ssl|prefix|client-cert)"
    "|.*-(?:ip|addr|host|port|proto|protocol|scheme|https|method|method-override|uri|url|path)|x-script-name"
    "|x-(?:original|rewrite|accel|sendfile|envoy)(?:-.*)?|x-(?:request|correlation)-id|traceparent|tracestate"
    # Of client certificates, and signed statements: no name of a person is one.
    "|(?:x-)?(?:ssl-)?client-(?:cert|verify|dn|s-dn)|.*-assertion"
    # Our own.
    "|vestibule(?:-.*)?",
    re.IGNORECASE,
)


def header_name(value: object) -> str:
    """Return the name of a header that holds something about a person."""
    name = text(value)
    if not _NAME.fullmatch(name):
        raise InvalidValue("must be the name of a header, in letters, digits and - alone: write X-WEBAUTH-USER")
    if _OF_OTHERS.fullmatch(name):
        raise InvalidValue("is a header that HTTP, browsers or proxies use themselves: write X-WEBAUTH-USER")
    return name
