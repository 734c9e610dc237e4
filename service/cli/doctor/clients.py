"""What comes from a client: its address, its cookies, a large upload. An echo in, findings out."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from service.cli.doctor.echoes import FORGED_ADDRESS, Echo
from service.cli.doctor.findings import Finding, fault, ok, warning
from service.cli.doctor.lines import Lines
from service.login.networks import Network, address_of

_ADDRESS: Final = "client's address"
_SETTING: Final = "VESTIBULE_TRUSTED_PROXIES"
COOKIES_BEFORE: Final = "doctor_first=1"
COOKIES_AFTER: Final = 'doctor_last="two words"; doctor_empty='


def address(echo: Echo, own: str, trusted: Sequence[Network], lines: Lines) -> Finding:
    """Whether the service and the app see the client's own address."""
    told = echo.get("X-Forwarded-For")
    seen = echo.seen.client if echo.seen else told
    mine, found = address_of(own), address_of(seen)
    line = lines.of_app("location /: proxy_set_header X-Forwarded-For $remote_addr;")
    if mine and any(mine in network for network in trusted):
        return ok(_ADDRESS, f"{seen}; this machine is a trusted proxy, so it may name any")
    if found is None:
        why = "attempts and blocks are counted by address: without one all clients share the same limit"
        return fault(_ADDRESS, f"the service is told {seen or 'none'}", why, line)
    if seen == FORGED_ADDRESS:
        why = "clients pass the limits on guessing, and the rules with networks, by forging X-Forwarded-For"
        line = f"{_SETTING}: your proxies alone; and the first proxy must not add to a client's X-Forwarded-For"
        return fault(_ADDRESS, "is the one that a client forged in X-Forwarded-For", why, line)
    if echo.seen and address_of(told) != found:
        what = f"is {seen} to the service, but {told or 'none'} to the app"
        return fault(_ADDRESS, what, "the app's log and limits name another client", line)
    if found != mine and not found.is_global:
        return _proxy(seen, own)
    return ok(_ADDRESS, f"the service sees {found}")


def _proxy(seen: str, own: str) -> Finding:
    why = "attempts, blocks and rules with networks see all clients as one, if that is the address of a proxy"
    line = f"{_SETTING}={seen} (if it is a proxy of yours), `vestibule proxy render --reload`, and restart the service"
    return warning(_ADDRESS, f"the service sees {seen}, and this machine is {own}", why, line)


def cookies(echo: Echo, lines: Lines) -> Iterator[Finding]:
    """Whether our session cookie reaches the service and not the app, and all others reach the app."""
    arrived = echo.seen.cookies if echo.seen else echo.said["session_cookies"]
    is_known = echo.seen or echo.app is None  # else the door's answer did not arrive: see identity
    if is_known and arrived == 1:
        yield ok("session cookie", "reaches the service")
    elif is_known:
        why = "people who are signed in are sent to sign in again and again"
        line = lines.of_app("location = /.well-known/vestibule/verify: proxy_set_header Cookie $door_cookie;")
        yield fault("session cookie", f"reaches the service {arrived} times, and was sent once", why, line)
    if echo.app is None:
        return
    line = lines.of_app("location /: proxy_set_header Cookie $app_cookie;")
    sent = [part.strip() for part in f"{COOKIES_BEFORE};{COOKIES_AFTER}".split(";")]
    found = [part.strip() for part in echo.get("Cookie").split(";")]
    if ours := [part for part in found if "(withheld)" in part]:
        why = "the app's operator, or an attacker in the app, can use the sessions of all its users"
        yield fault("session cookie", f"{ours[0].partition('=')[0]} reaches the app", why, line)
    elif [part for part in found if not part.startswith("doctor_large=")] != sent:
        yield fault("cookies", "of the app do not reach it as they were sent", "people are signed out of the app", line)
    else:
        yield ok("cookies", "of the app reach it as they were sent, and ours do not")


def body(echo: Echo, sent: bytes, lines: Lines) -> Finding:
    """Whether a large upload arrives whole, with its method."""
    size, digest = echo.said["body_bytes"], echo.said["body_sha256"]
    if echo.said["method"] != "PUT":
        line = lines.of_app("location /: no proxy_method, no error_page that rewrites the request")
        return fault("upload", f"PUT reaches the app as {echo.said['method']}", "WebDAV and APIs fail", line)
    if digest != hashlib.sha256(sent).hexdigest():
        what, line = f"{size:,} of {len(sent):,} bytes reach the app", "location /: proxy_pass_request_body on;"
        return fault("upload", what, "uploads are cut or changed", lines.of_app(line))
    return ok("upload", f"of {len(sent) // 1024 // 1024} MB arrives whole")
