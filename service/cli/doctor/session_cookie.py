"""The cookie that the sign-in page sets with the attributes of a session's, as a browser gets it."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from service.access import session_cookie
from service.access.public_address import PublicAddress
from service.cli.doctor.findings import Finding, fault, ok
from service.cli.doctor.lines import Lines

# The whole list (publicsuffix.org) has 9,000 rows; these are the usual mistakes. A browser tells of the others.
_SECOND_LEVELS: Final = frozenset({"ac", "co", "com", "edu", "gov", "mil", "net", "ne", "or", "org"})
_OF_HOSTERS: Final = (
    *("github.io", "gitlab.io", "pages.dev", "workers.dev", "netlify.app", "vercel.app", "web.app", "fly.dev"),
    *("herokuapp.com", "onrender.com", "azurewebsites.net", "cloudfront.net"),
    *("duckdns.org", "dyndns.org", "ddns.net"),
)


def attributes(
    set_cookies: Sequence[str], public: PublicAddress, domain: str | None, lines: Lines
) -> Iterator[Finding]:
    """Check the session's cookie among those that the sign-in page sets."""
    name = session_cookie.cookie_name(public, domain)
    expected = {"httponly", "samesite=lax", "path=/"} | ({"secure"} if public.is_https else set())
    expected |= {f"domain={domain}"} if domain and public.is_https else set()
    found = [each for each in set_cookies if each.startswith(name)]
    wrong = next((each for each in found if _told(each) != expected), None)
    if domain and is_public_suffix(domain):
        why = "browsers refuse such a cookie, as it would reach other people's sites: the session is lost at once"
        line = f"VESTIBULE_SESSIONS__COOKIE_DOMAIN={public.host.partition('.')[2]}"
        yield fault("cookie", f"sessions.cookie_domain is {domain}, a public suffix", why, line)
    elif not found:
        why, line = (
            "a proxy removes it, so that no browser keeps a session",
            "location /: no proxy_hide_header Set-Cookie;",
        )
        yield fault("cookie", f"the sign-in page sets no {name}", why, lines.of_login(line))
    elif wrong:
        what = f"{wrong.partition('=')[0]} differs in {', '.join(sorted(expected ^ _told(wrong)))}"
        why = "a proxy changes it: the session does not reach the apps, or is less protected than it should be"
        line = "in the proxy before the login: no proxy_cookie_domain, proxy_cookie_path, proxy_cookie_flags"
        yield fault("cookie", what, why, line)
    else:
        yield ok("cookie", f"of sessions: {'; '.join(sorted(expected))}")


def _told(set_cookie: str) -> set[str]:
    """Return the attributes of a cookie, without those of its life."""
    told = {part.strip().lower().replace("domain=.", "domain=") for part in set_cookie.split(";")[1:]}
    return {part for part in told if not re.match("(?:max-age|expires)=", part)}


def is_public_suffix(domain: str) -> bool:
    """Whether sites of different owners have names below this domain, as far as is known here."""
    first, _, rest = domain.partition(".")
    return domain in _OF_HOSTERS or (first in _SECOND_LEVELS and len(rest) == 2)  # noqa: PLR2004 - a country's
