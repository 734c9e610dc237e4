"""Caddy, Traefik and another nginx before an app, each with the whole site that `proxy render` prints for it."""

from collections.abc import Iterator
from dataclasses import astuple
from itertools import product

import pytest

from service.access.identity_headers import DEFAULT, STRIPPED
from tests.rig import web_socket
from tests.rig.answer import Answer
from tests.rig.other_proxies import DOMAIN, LOGIN, PROXIES, House, Line, behind_other_proxies, request

PAGE = (("Accept", "text/html"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"))
IDENTITY = {
    "remote-user": "alice",
    "remote-name": "Alice Example",
    "x-webauth-email": "alice@example.org",
    "remote-groups": "staff",
}
FORGED = "forged"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Start the service and the apps once."""
    with behind_other_proxies() as started:
        yield started


@pytest.fixture(scope="module", params=PROXIES)
def proxy(request: pytest.FixtureRequest, house: House) -> Iterator[str]:
    """Each proxy in turn."""
    name: str = request.param
    with house.started(name):
        yield name


def reached(answer: Answer) -> dict[str, str]:
    """Return the headers that reached the app, by their lower-case names; one that came twice fails."""
    assert answer.status == 200, answer.text
    headers = [(name.lower(), value) for name, value in answer.json["headers"]]
    assert len(dict(headers)) == len(headers), headers
    return dict(headers)


def test_who_is_signed_in_reaches_the_app_as_who_they_are(house: House, proxy: str) -> None:
    """Method, path, query and body as they were sent; the identity, and the app's own address."""
    answer = house.ask(proxy, "/a%20b?x=%2F&y=2", house.signed_in, method="PUT", body=b"text")

    headers = reached(answer)
    assert [answer.json[key] for key in ("method", "path", "body_bytes")] == ["PUT", "/a%20b?x=%2F&y=2", 4]
    assert {name: headers.get(name) for name in IDENTITY} == IDENTITY
    told = ("host", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-for", "x-real-ip")
    assert [headers.get(name) for name in told] == [
        house.netloc(proxy),
        house.netloc(proxy),
        "https",
        "127.0.0.1",
        "127.0.0.1",
    ]
    assert headers.get("x-forwarded-port") == str(house.ports[proxy])


def test_a_page_leads_to_the_sign_in(house: House, proxy: str) -> None:
    """A browser that opens a page without a session is sent to the login, and from there back."""
    answer = house.ask(proxy, "/wiki?page=1", *PAGE)

    assert (answer.status, answer.one("location").partition("?")[0]) == (303, f"https://{LOGIN}/")
    assert f"{proxy}.{DOMAIN}%3A{house.ports[proxy]}%2Fwiki%3Fpage%3D1" in answer.one("location")


@pytest.mark.parametrize(
    ("method", "lines"),
    [
        ("GET", [("Accept", "application/json")]),
        ("GET", [("Accept", "*/*"), ("Sec-Fetch-Mode", "cors")]),
        ("POST", [*PAGE, ("Content-Type", "application/x-www-form-urlencoded")]),
        ("PROPFIND", []),
    ],
)
def test_what_is_no_page_gets_401_and_no_redirect(house: House, proxy: str, method: str, lines: list[Line]) -> None:
    """A program, a script of a page, a form that is being sent: the refusal is whole, and leads nowhere by itself."""
    seen = house.app.seen()
    answer = house.ask(proxy, "/", *lines, method=method, body=b"x=1" if method == "POST" else None)

    assert (answer.status, answer.get("location"), house.app.seen()) == (401, None, seen)
    assert answer.body
    assert answer.get("cache-control") == "no-store"


def test_who_is_not_allowed_gets_403(house: House, proxy: str) -> None:
    """A rule for other people refuses, also for a page."""
    seen = house.app.seen()
    for method in ("GET", "HEAD", "DELETE"):
        assert house.ask(proxy, "/admin/users", house.signed_in, *PAGE, method=method).status == 403

    assert house.app.seen() == seen


def test_everyone_reaches_what_is_for_everyone(house: House, proxy: str) -> None:
    """Without a session the app is told of nobody."""
    headers = reached(house.ask(proxy, "/public"))

    assert not any(headers.get(name) for name in IDENTITY)


def test_rules_see_the_client_s_address(house: House, proxy: str) -> None:
    """The address of the connection to the proxy counts, and no X-Forwarded-For of the client's own."""
    told = ("X-Forwarded-For", "127.0.0.3")

    assert house.ask(proxy, "/office", house.signed_in, source="127.0.0.3").status == 200
    assert house.ask(proxy, "/office", house.signed_in, told).status == 403
    assert house.ask(proxy, "/office", house.signed_in, told, told, ("X-Real-IP", "127.0.0.3")).status == 403


def spellings(name: str) -> list[str]:
    """Return a header's name in every spelling that some app takes for it."""
    parts = name.split("-")
    joined = (
        "".join(map("".join, zip(parts, (*marks, ""), strict=True))) for marks in product("-_.", repeat=len(parts) - 1)
    )
    return [each for one in joined for each in (one, one.upper(), one.lower())]


@pytest.mark.parametrize("signed_in", [True, False])
def test_no_client_tells_an_app_who_it_is(house: House, proxy: str, signed_in: bool) -> None:  # noqa: FBT001
    """No header of an identity, an address or an original request gets through, however it is spelled, or doubled."""
    session = [house.signed_in] if signed_in else []
    lines = [(spelled, FORGED) for name in STRIPPED for spelled in spellings(name) for _ in range(2)]
    for start in range(0, len(lines), 150):
        headers = reached(house.ask(proxy, "/public", *session, *lines[start : start + 150]))
        assert not [pair for pair in headers.items() if FORGED in pair[1]]
        assert headers.get("remote-user", "") == ("alice" if signed_in else "")


def test_connection_removes_no_identity(house: House, proxy: str) -> None:
    """A client that names them in Connection has the proxy drop neither the identity nor the question to the door."""
    named = ", ".join(
        [*astuple(DEFAULT), "X-Forwarded-Host", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-For"]
    )

    headers = reached(house.ask(proxy, "/", house.signed_in, ("Connection", named)))

    assert {name: headers.get(name) for name in IDENTITY} == IDENTITY
    assert house.ask(proxy, "/admin", house.signed_in, ("Connection", named)).status == 403


def test_a_client_s_headers_of_its_own_pass(house: House, proxy: str) -> None:
    """What is neither ours nor a proxy's reaches the app as it was sent."""
    sent = (
        ("X-Custom", "a, b"),
        ("Authorization", "Bearer of-the-app"),
        ("If-None-Match", '"x"'),
        ("X-Auth-Token", "t"),
    )

    headers = reached(house.ask(proxy, "/", house.signed_in, *sent))

    assert {name: headers.get(name.lower()) for name, _ in sent} == dict(sent)


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        ("{}", None),
        ("{}; a=1", "a=1"),
        ("a=1; {}; b=2", "a=1; b=2"),
        ("a=1; {}", "a=1"),
        ("vestibule_session=x; {}; vestibule_device=y; a=1;b=2; __Secure-vestibule=z", "a=1;b=2"),
        ('a="x y"; __Host-vestibule-device=1; {}; b=%20=; xvestibule=3', 'a="x y"; b=%20=; xvestibule=3'),
        ("a=" + "x" * 6000 + "; {}", "a=" + "x" * 6000),
    ],
)
def test_our_cookies_never_reach_an_app(house: House, proxy: str, sent: str, left: str | None) -> None:
    """Whatever their number and place; the app's own stay byte for byte."""
    headers = reached(house.ask(proxy, "/", ("Cookie", sent.format(house.signed_in[1]))))

    assert (headers.get("remote-user"), headers.get("cookie")) == ("alice", left)


def test_a_web_socket_passes_after_the_door(house: House, proxy: str) -> None:
    """With a session it is open, and the app knows whose it is; without, it is refused."""
    with house.web_socket(proxy, house.signed_in) as messages:
        assert messages.echo(b"hello") == b"hello"
        assert b'"alice"' in (messages.echo(b"request") or b"")

    upgrade = (("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", web_socket.KEY))
    assert house.ask(proxy, "/live", *upgrade, ("Sec-WebSocket-Version", "13")).status == 401


def test_no_other_protocol_is_opened(house: House, proxy: str) -> None:
    """Through h2c a client could send requests past the door: the app is not asked for it."""
    upgrade = (("Connection", "Upgrade"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"))

    headers = reached(house.ask(proxy, "/", house.signed_in, *upgrade))

    assert not {"upgrade", "http2-settings"} <= headers.keys()


@pytest.mark.parametrize("name", ["X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Host", "X-Original-URL"])
def test_no_client_chooses_what_the_door_is_asked(house: House, proxy: str, name: str) -> None:
    """A client's own word on the original request changes no verdict, doubled or not."""
    for value in ("/public", "OPTIONS", f"nginx.{DOMAIN}", f"https://{house.netloc(proxy)}/public"):
        for lines in ([(name, value)], [(name, value)] * 2, [(name.replace("-", "_"), value)]):
            assert house.ask(proxy, "/admin", house.signed_in, *lines).status == 403


def test_an_app_s_own_answers_pass_as_they_are(house: House, proxy: str) -> None:
    """Its errors, its headers, parts of a file, and a body of any size in either direction."""
    signed_in = house.signed_in
    for status in (204, 401, 403, 404, 500, 503):
        answer = house.ask(proxy, f"/?status={status}&header=X-Own:1", signed_in, *PAGE)
        assert (answer.status, answer.get("x-own")) == (status, "1")
    part = house.ask(proxy, "/file?bytes=100000", signed_in, ("Range", "bytes=10-19"))
    assert (part.status, len(part.body)) == (206, 10)
    assert house.ask(proxy, "/file?bytes=10", signed_in, ("If-None-Match", '"echo"')).status == 304
    assert house.ask(proxy, "/", signed_in, method="POST", body=bytes(3_000_000)).json["body_bytes"] == 3_000_000


def test_the_door_refuses_what_it_is_not_asked_rightly(house: House) -> None:
    """An original address that is missing, doubled, or of no app is refused, and no path but /auth/forward is there."""
    asked = {"Method": "GET", "Proto": "https", "Host": house.netloc("caddy"), "Uri": "/public"}
    right = [(f"X-Forwarded-{name}", value) for name, value in asked.items()]

    def status(*lines: Line, source: str = "", path: str = "/auth/forward") -> int:
        return request(house.door, path, ("Host", "door"), *lines, source=source).status

    assert status(*right) == 200
    assert {status(*(line for line in right if line != missing)) for missing in right} == {403}
    assert {status(*right, doubled) for doubled in right} == {403}
    assert status(*right[:2], ("X-Forwarded-Host", "other.example.org"), right[3]) == 403
    assert status(*right, source="127.0.0.2") in {403, 404}
    assert {status(*right, path=path) for path in ("/auth/verify", "/", "/metrics", "/account")} == {404}


def test_without_the_service_nothing_passes(house: House, proxy: str) -> None:
    """gunicorn away: an error that says so, never the app."""
    seen = house.app.seen()
    house.servers.end("gunicorn")
    try:
        statuses = {house.ask(proxy, path, house.signed_in).status for path in ("/", "/public")}
    finally:
        house.servers.start_gunicorn()
        house.servers.wait_until(lambda: house.servers.ops("/readyz").status == 200, "the service is back")

    assert statuses <= {502, 503}
    assert house.app.seen() == seen
