"""Caddy, Traefik and another nginx before an app, each with the whole site that `proxy render` prints for it."""

from base64 import b64encode

import pytest

from tests.rig import web_socket
from tests.rig.other_proxies import DOMAIN, IDENTITY, LOGIN, House, Line, reached

PAGE = (("Accept", "text/html"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"))


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


def test_a_refusal_is_passed_on_as_it_is(house: House, proxy: str) -> None:
    """Each header once, and none that pins the app's domain to TLS or keeps the page out of a frame."""
    answer = house.ask(proxy, "/", ("Authorization", "Basic YTpi"), ("Accept", "application/json"))

    assert (answer.status, answer.one("www-authenticate").partition(" ")[0]) == (401, "Basic")
    assert answer.json["reason"]
    assert not {name for name, _ in answer.headers} & {"strict-transport-security", "x-frame-options", "cookie"}


def test_who_is_not_allowed_gets_403(house: House, proxy: str) -> None:
    """A rule for other people refuses, also for a page."""
    seen = house.app.seen()
    for method in ("GET", "HEAD", "DELETE"):
        assert house.ask(proxy, "/admin/users", house.signed_in, *PAGE, method=method).status == 403

    assert house.app.seen() == seen


def test_everyone_reaches_what_is_for_everyone(house: House, proxy: str) -> None:
    """Without a session the app is told of no user."""
    headers = reached(house.ask(proxy, "/public"))

    assert not any(headers.get(name) for name in IDENTITY)


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


def test_a_program_signs_in_and_the_app_never_sees_how(house: House, proxy: str) -> None:
    """An app password tells the app whose request it is, and goes no further; a wrong one is refused."""
    added = house.servers.vestibule("app-password", "add", "alice", "--name", proxy, "--app", proxy)
    secret = added.stdout.strip()
    basic = b64encode(f"alice:{secret}".encode()).decode()
    for authorization in (f"Bearer {secret}", f"Basic {basic}"):
        headers = reached(house.ask(proxy, "/", ("Authorization", authorization), method="PROPFIND"))
        assert (headers["remote-user"], headers.get("authorization")) == ("alice", None)

    assert house.ask(proxy, "/", ("Authorization", f"Bearer {secret[:-1]}")).status == 401
    assert house.ask(proxy, "/", ("Authorization", f"Bearer vst_{'x' * 43}")).status == 401


def test_a_web_socket_passes_after_the_door(house: House, proxy: str) -> None:
    """With a session it is open, and the app knows whose it is; without, it is refused."""
    with house.web_socket(proxy, house.signed_in) as messages:
        assert messages.echo(b"hello") == b"hello"
        assert b'"alice"' in (messages.echo(b"request") or b"")

    upgrade = (("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", web_socket.KEY))
    assert house.ask(proxy, "/live", *upgrade, ("Sec-WebSocket-Version", "13")).status == 401


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


def test_without_the_service_nothing_passes(house: House, proxy: str) -> None:
    """gunicorn away: an error that says so, never the app."""
    seen = house.app.seen()
    house.servers.end("gunicorn")
    try:
        answers = [house.ask(proxy, path, house.signed_in, *PAGE) for path in ("/", "/public")]
    finally:
        house.servers.start_gunicorn()
        house.servers.wait_until(lambda: house.servers.ops("/readyz").status == 200, "the service is back")

    assert [(answer.status, answer.one("retry-after")) for answer in answers] == [(503, "5")] * 2
    assert all("does not answer" in answer.text for answer in answers)
    assert house.app.seen() == seen
