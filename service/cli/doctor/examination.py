"""The examination of one address, check by check. What is not on this page is not checked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, cast

from service.access.apps import App
from service.access.judged_set import JudgedSet
from service.access.probe import PATH, Purpose
from service.access.public_address import PublicAddress, parse_origin
from service.access.session_cookie import cookie_name
from service.cli.doctor import clients, headers, in_force, session_cookie, transport
from service.cli.doctor.client import NoAnswer
from service.cli.doctor.echoes import (
    FORGED_ADDRESS,
    FORGED_HOST,
    Echo,
    forged_headers,
    identity_names,
    misspelt_headers,
)
from service.cli.doctor.findings import Finding, fault, ok
from service.cli.doctor.lines import Lines
from service.cli.doctor.probing import Prober, Reply, date_of
from service.settings import Settings

_UPLOAD: Final = bytes(range(256)) * 4 * 1024 * 20  # 20 MB
_TOKEN: Final = "doctor" + "x" * 37  # has the form of a session's token
_MESSAGE: Final = b"from the doctor"


@dataclass(frozen=True)
class Chosen:
    """What holds for all addresses: the settings, and the apps whose files doctor has read."""

    settings: Settings
    judged: JudgedSet

    def lines(self, app: App | None) -> Lines:
        return Lines(self.settings.nginx_dir, app)


def of_login(prober: Prober, chosen: Chosen, *, now: float) -> Iterator[Finding]:
    """Check the login's own address. Raises NoAnswer when nothing answers there."""
    client, address, lines, settings = prober.client, prober.address, chosen.lines(None), chosen.settings
    yield from transport.tls(client, address, lines, now=now)
    yield from transport.redirect(client, address, lines)
    yield transport.foreign_host(client, address, lines)
    yield from transport.not_public(client, address, lines)
    set_cookies = client.ask(address, headers=[("Accept", "text/html")]).all("Set-Cookie")
    yield from session_cookie.attributes(set_cookies, address, settings.sessions.cookie_domain, lines)
    first = prober.first()
    yield from _came_back(first, lines)
    reply = prober.send(Purpose.ECHO, [_cookie(settings), ("X-Forwarded-For", FORGED_ADDRESS)]) if first.echo else first
    if first.echo and not reply.echo:
        yield _no_cookies(reply, lines)
    if reply.echo and reply.answer:
        yield from clients.cookies(reply.echo, lines)
        yield clients.address(reply.echo, reply.answer.own_address, settings.trusted_proxies, lines)
        yield in_force.cache_life(reply.echo, settings.door.cache_seconds)


def of_app(prober: Prober, app: App, chosen: Chosen, *, now: float) -> Iterator[Finding]:
    """Check an app's address, and its way. Raises NoAnswer when nothing answers there."""
    client, lines, settings = prober.client, chosen.lines(app), chosen.settings
    yield from transport.tls(client, app.address, lines, now=now)
    yield from transport.redirect(client, app.address, lines)
    first = prober.first()
    if first.answer is None:
        raise NoAnswer(first.what)
    own = first.answer.own_address
    yield from _came_back(first, lines)
    if first.echo:
        reply = prober.send(headers=[_cookie(settings), ("X-Forwarded-For", FORGED_ADDRESS)])
        if reply.echo and reply.echo.seen:
            lines = replace(lines, other_proxy=reply.echo.seen.question == "forward")
        yield from _way(reply, app, chosen, lines, own)
        yield from _forgeries(prober, app, lines)
        yield from _sizes(prober, lines)
        yield transport.verify_is_internal(client, app, prober.header(Purpose.IDENTITY), lines)
    yield transport.refusing(client, app, lines, own=own)
    yield transport.past_the_door(client, app, cast("PublicAddress", parse_origin(app.upstream)), own=own)


def _came_back(first: Reply, lines: Lines) -> Iterator[Finding]:
    if first.echo and first.answer:
        yield ok("probe", "is answered by the service")
        yield in_force.clock(first.echo, date_of(first.answer), first.answer.at)
    else:
        is_refused = first.answer is not None and transport.is_refusal(first.answer)
        yield _not_signed(first, lines) if is_refused or lines.app is None else _not_led(first, lines)


def _not_signed(first: Reply, lines: Lines) -> Finding:
    why = "the door does not see that doctor signed it: the header is not passed on, or the keys or clocks differ"
    header = "proxy_set_header Vestibule-Probe $http_vestibule_probe;"
    line = lines.of_app(f"location = /.well-known/vestibule/verify: {header}" if lines.app else f"http {{ }}: {header}")
    return fault("probe", first.what, why, f"VESTIBULE_SECRET_KEY_FILE: the service's key; {line}")


def _not_led(first: Reply, lines: Lines) -> Finding:
    why = "the app's way cannot be checked further: files from before this app or this release, or a changed line"
    line = lines.of_app(f"map $request_uri: {PATH} http://vestibule;")
    return fault("probe", f"{first.what}, and not by the service", why, f"`vestibule proxy render --reload`, or {line}")


def _cookie(settings: Settings) -> tuple[str, str]:
    name = cookie_name(settings.public, settings.sessions.cookie_domain)
    return "Cookie", f"{clients.COOKIES_BEFORE}; {name}={_TOKEN}; {clients.COOKIES_AFTER}"


def _no_cookies(reply: Reply, lines: Lines) -> Finding:
    why, line = "people who are signed in cannot go on", lines.of_app("large_client_header_buffers 4 8k;")
    return fault("cookies", f"a probe with cookies {reply.what}", why, line)


def _way(reply: Reply, app: App, chosen: Chosen, lines: Lines, own: str) -> Iterator[Finding]:
    """Check what a probe with cookies tells."""
    echo, settings = reply.echo, chosen.settings
    if echo is None:
        yield _no_cookies(reply, lines)
        return
    yield headers.identity(echo, app, lines)
    yield from headers.host(echo, app, lines)
    yield clients.address(echo, own, settings.trusted_proxies, lines)
    yield from clients.cookies(echo, lines)
    yield in_force.rules(echo, chosen.judged.hash)
    yield in_force.cache_life(echo, settings.door.cache_seconds)


def _forgeries(prober: Prober, app: App, lines: Lines) -> Iterator[Finding]:
    """Check what a client can forge. Many servers take 100 headers at most: the names are sent in two parts."""
    names = forged_headers(app)
    first, second = prober.send(headers=names[::2]), prober.send(headers=names[1::2])
    if first.echo and second.echo:
        second = replace(second, echo=first.echo + second.echo)
    yield _judged(second if first.echo else first, "forged headers", lines, lambda echo: headers.forged(echo, lines))
    misspelt = prober.send(headers=misspelt_headers(app))
    yield _judged(misspelt, "spellings", lines, lambda echo: headers.misspelt(echo, lines))
    named = ", ".join(["close", *identity_names(app), "X-Forwarded-For", "X-Forwarded-Proto"])
    removing = prober.send(headers=[("Connection", named)])
    yield _judged(removing, "Connection", lines, lambda echo: headers.hop_by_hop(echo, first.echo or echo, app, lines))
    yield headers.absolute_form(prober.send(target=f"{app.address.origin}{PATH}", host=FORGED_HOST).echo, lines)
    foreign = prober.send(host=FORGED_HOST).echo
    if foreign and foreign.seen:
        why = "a site of another name shows the app (DNS rebinding)"
        line = lines.of_app(f"server_name {app.address.host}; and no default_server in its listen")
        yield fault("foreign Host", "is answered by the app", why, line)
    else:
        yield ok("foreign Host", "does not reach the app")


def _judged(reply: Reply, check: str, lines: Lines, judge: Callable[[Echo], Finding]) -> Finding:
    if reply.echo:
        return judge(reply.echo)
    why = "what the app would get cannot be seen, and clients may send such requests, too"
    return fault(check, f"the probe {reply.what}", why, lines.of_app("large_client_header_buffers 4 8k;"))


def _sizes(prober: Prober, lines: Lines) -> Iterator[Finding]:
    """Check large heads in both directions, a large body, and an upgrade."""
    large = prober.send(headers=[("Cookie", "doctor_large=" + "x" * 6000)])
    yield _whole(large, "6 kB cookie", "reaches the app", lines.of_app("large_client_header_buffers 4 16k;"))
    answered = prober.send(Purpose.LARGE_ANSWER)
    yield _whole(answered, "6 kB answer head", "comes back", lines.of_app("proxy_buffer_size 16k;"))
    upload = prober.send(method="PUT", body=_UPLOAD)
    if upload.echo:
        yield clients.body(upload.echo, _UPLOAD, lines)
    else:
        yield _whole(upload, "20 MB body", "", lines.of_app("client_max_body_size 0;"))
    line = lines.of_app("location /: proxy_set_header Upgrade $app_upgrade; and Connection $app_connection;")
    try:
        status, back = prober.client.upgrade(prober.address, PATH, [prober.header(Purpose.IDENTITY)], _MESSAGE)
    except NoAnswer as reason:
        status, back = 0, str(reason).encode()
    if back == _MESSAGE:
        yield ok("upgrade", "to a web socket works, in both directions")
    else:
        what = f"to a web socket is answered with {status or back.decode()}"
        yield fault("upgrade", what, "pages that update themselves do not", line)


def _whole(reply: Reply, check: str, what: str, line: str) -> Finding:
    if reply.echo:
        return ok(check, what)
    return fault(check, reply.what, "requests of that size fail in the app, for some people only", line)
