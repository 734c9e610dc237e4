"""The headers that tell an app who asks, and those that no client may send in their place."""

import string
from dataclasses import astuple, dataclass
from typing import Final
from urllib.parse import quote

from service.login.accounts import Account


@dataclass(frozen=True, slots=True)
class IdentityHeaders:
    """The names of an app's identity headers. The value of `groups` is a list with commas."""

    user: str = "Remote-User"
    name: str = "Remote-Name"
    email: str = "Remote-Email"
    groups: str = "Remote-Groups"


DEFAULT: Final = IdentityHeaders()
# What apps and proxies take for an identity, for the client's address, or for the request's original form. A client
# that could send one of these would choose what an app believes.
STRIPPED: Final = (
    *astuple(DEFAULT),
    *("X-Remote-User", "X-Remote-Name", "X-Remote-Email", "X-Remote-Groups"),
    *("X-User", "X-Username", "X-Email", "X-Groups", "X-WEBAUTH-USER", "X-WEBAUTH-NAME", "X-WEBAUTH-EMAIL"),
    *("X-WEBAUTH-GROUPS", "X-WEBAUTH-ROLE", "X-Auth-User", "X-Auth-Email", "X-Auth-Groups", "X-Authenticated-User"),
    *("X-Auth-Request-User", "X-Auth-Request-Email", "X-Auth-Request-Groups", "X-Auth-Request-Preferred-Username"),
    *("X-Auth-Request-Access-Token", "X-Auth-Username", "X-Proxy-User", "X-Token-Subject", "X-Token-User-Name"),
    *("X-Authentik-Username", "X-Authentik-Groups", "X-Authentik-Email", "X-Authentik-Name", "X-Authentik-Uid"),
    *("X-Forwarded-User", "X-Forwarded-Name", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Login"),
    *("X-Forwarded-Preferred-Username", "X-Forwarded-Access-Token", "X-Forwarded-Roles", "X-Forwarded-Client-Cert"),
    *("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Protocol", "X-Forwarded-Host", "X-Forwarded-Port"),
    *("X-Forwarded-Server", "X-Forwarded-Scheme", "X-Forwarded-Ssl", "X-Forwarded-Prefix", "X-Forwarded-Path"),
    *("X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-By", "X-Forwarded", "Forwarded", "Forwarded-For"),
    *("X-Original-URL", "X-Original-URI", "X-Original-Method", "X-Original-Host", "X-Original-For"),
    *("X-Original-Forwarded-For", "X-Original-Proto", "X-Original-Prefix", "X-Original-Remote-Addr"),
    *("X-Rewrite-URL", "X-Real-IP", "X-Client-IP", "Client-IP", "True-Client-IP", "CF-Connecting-IP"),
    *("Fastly-Client-IP", "X-Cluster-Client-IP", "X-Originating-IP", "X-Remote-IP", "X-Remote-Addr", "X-Scheme"),
    *("X-URL-Scheme", "Front-End-Https", "X-Host", "X-Script-Name", "Vestibule-Credential", "Vestibule-Rules"),
)
# Those of them that an nginx in front of the app, ours or another one, sets itself.
SET_BY_NGINX: Final = frozenset(
    {"x-real-ip", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port"}
)
# Headers of which a client's own reaches the app, without what is ours: other proxies take it from the door's answer.
FROM_CLIENTS: Final = ("Cookie", "Authorization")
_PLAIN: Final = string.punctuation.replace("%", "") + " "


def removed(*named: IdentityHeaders) -> list[str]:
    """Return every header that no client may send to an app with these names, each once in one of its spellings."""
    names = [name for each in named for name in astuple(each)]
    return list({name.lower(): name for name in (*names, *STRIPPED, "Proxy")}.values())


def values(account: Account | None) -> tuple[str, str, str, str]:
    """Return user, name, email and groups as header values: printable ASCII, other text percent-encoded as UTF-8."""
    if account is None:
        return "", "", "", ""
    return (
        account.username,
        quote(account.display_name, safe=_PLAIN),
        quote(account.email, safe=_PLAIN),
        ",".join(account.groups),
    )
