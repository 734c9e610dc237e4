"""Headers on their way to an app: the identity, what clients forge, the app's own address. An echo in, findings out."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from typing import Final

from service.access import probe
from service.access.apps import App
from service.cli.doctor.echoes import FORGED, FORGED_ADDRESS, FORGED_HOST, SPELLINGS, Echo
from service.cli.doctor.findings import Finding, fault, ok
from service.cli.doctor.lines import Lines

_VARIABLES: Final = ("$door_user", "$door_name", "$door_email", "$door_groups")
_SPELLING_LINES: Final = {"underscores": "underscores_in_headers off;", "dots": "ignore_invalid_headers on;"}


def identity(echo: Echo, app: App, lines: Lines) -> Finding:
    """Whether the door was asked, and its answer arrives under the app's names."""
    expected = dict(zip(astuple(app.headers)[:3], (probe.USER, probe.NAME, probe.EMAIL), strict=True))
    missing = [name for name, value in expected.items() if echo.get(name) != value]
    missing += [] if echo.seen else [app.headers.groups]
    if len(missing) > len(expected):
        why = "the door is not asked on the app's way, or its answer is not passed on"
        line = lines.of_app("location /: auth_request /.well-known/vestibule/verify;")
        return fault("identity", "no identity reaches the app", why, line)
    if missing:
        why = "the app takes a person for another one, or for one who is not signed in"
        line = lines.of_app(f"location /: proxy_set_header {missing[0]} {_right_value(missing[0], echo)};")
        return fault("identity", f"{', '.join(missing)} does not reach the app as the door set it", why, line)
    return ok("identity", f"reaches the app as {', '.join(astuple(app.headers))}")


def forged(echo: Echo, lines: Lines) -> Finding:
    """Whether a client's own identity or forwarding header reaches the app."""
    facts = echo.seen.as_groups() if echo.seen else ""
    known = {facts, echo.seen.client if echo.seen else ""}  # a forged address may have become the client's: see address
    arrived = [name for name, value in echo.said["headers"] if _is_forged(value) and value not in known]
    if not arrived:
        return ok("forged headers", "of clients never reach the app")
    why = "an app that reads one of them believes what a client says about its identity or its address"
    line = lines.of_app(f"location /: proxy_set_header {arrived[0]} {_right_value(arrived[0], echo)};")
    return fault("forged headers", f"a client's own {_listed(arrived)} reaches the app", why, line)


def misspelt(echo: Echo, lines: Lines) -> Finding:
    """Whether another spelling of an identity header reaches the app: most read `Remote_User` as Remote-User."""
    told = echo.said["headers"]
    arrived = {each: [name for name, value in told if f"{FORGED} {each}" in value] for each in SPELLINGS}
    spelt = [spelling for spelling, names in arrived.items() if names]
    if not spelt:
        return ok("spellings", "of identity headers (case, _, ., doubled) never reach the app")
    names = arrived[spelt[-1]]
    what = f"a client's own {_listed(names)} reaches the app when it is written in {', '.join(spelt)}"
    usual = lines.of_app(f"location /: proxy_set_header {names[0]} {_right_value(names[0], echo)};")
    line = lines.of_http(_SPELLING_LINES[spelt[-1]]) if spelt[-1] in _SPELLING_LINES else usual
    return fault("spellings", what, "many apps take that spelling for the identity header itself", line)


def hop_by_hop(echo: Echo, before: Echo, app: App, lines: Lines) -> Finding:
    """Whether a client that names identity headers in Connection has a proxy, or the app's server, remove them."""
    is_passed_on = app.headers.user.lower() in echo.get("Connection").lower()
    if not is_passed_on and identity(echo, app, lines).state is identity(before, app, lines).state:
        return ok("Connection", "removes no identity header that it names")
    why = "a proxy removes the headers named there after the door set them, so that the app gets no identity"
    line = lines.of_app("location /: proxy_set_header Connection $app_connection;")
    return fault("Connection", "a client that names identity headers in it keeps them from the app", why, line)


def host(echo: Echo, app: App, lines: Lines) -> Iterator[Finding]:
    """Whether host and scheme are the app's address, as apps build their links from them."""
    address = app.address
    ours = {address.netloc, f"{address.host}:{address.port}"}
    wrong = [f"{name}: {echo.get(name)}" for name in ("Host", "X-Forwarded-Host") if not ours & {echo.get(name), ""}]
    wrong += ["no Host"] if not echo.get("Host") else []
    if wrong:
        why = "redirects, links and cookies of the app are made for another host"
        line = lines.of_app(f"location /: proxy_set_header Host {address.netloc};")
        yield fault("Host", f"the app is told {wrong[0]}", why, line)
    else:
        yield ok("Host", f"the app is told {echo.get('Host')}")
    if echo.get("X-Forwarded-Proto") == address.scheme:
        yield ok("scheme", f"the app is told {address.scheme}")
    else:
        why = "the app makes links for another scheme, redirects without end, or sets cookies without Secure"
        line = lines.of_app(f"location /: proxy_set_header X-Forwarded-Proto {address.scheme};")
        yield fault("scheme", f"the app is told {echo.get('X-Forwarded-Proto') or 'none'}", why, line)


def absolute_form(echo: Echo | None, lines: Lines) -> Finding:
    """Whether a request line with a whole URL lets a client choose the Host that the app is told."""
    told = [] if echo is None else [name for name in ("Host", "X-Forwarded-Host") if FORGED_HOST in echo.get(name)]
    if told:
        why = "a client chooses the links that the app makes (password resets, caches)"
        netloc = echo.app.address.netloc if echo and echo.app else "…"
        line = lines.of_app(f"location /: proxy_set_header {told[0]} {netloc};")
        return fault("absolute form", f"a client chooses the {told[0]} that the app is told", why, line)
    return ok("absolute form", "of a request does not change the Host that the app is told")


def _right_value(name: str, echo: Echo) -> str:
    """Return what nginx's file gives a header that it sets."""
    identity_headers = dict(zip(map(str.title, astuple(echo.app.headers)), _VARIABLES, strict=True)) if echo.app else {}
    return ({"X-Forwarded-For": "$remote_addr", "X-Real-Ip": "$remote_addr"} | identity_headers).get(name.title(), '""')


def _is_forged(value: str) -> bool:
    return FORGED in value or FORGED_ADDRESS in value


def _listed(names: Sequence[str]) -> str:
    found = list(dict.fromkeys(names))
    return ", ".join(found[:3]) + (f" (and {len(found) - 3} more)" if len(found) > 3 else "")  # noqa: PLR2004 - three are enough to see it
