"""What every answer tells a browser: once each, on every status, and never to be stored (BH)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from flask import Flask

from service.services import Brand, OuterLimit, Unavailable
from service.web import errors, messages
from service.web.look.assets import nginx_files
from tests.rig.answer import Answer
from tests.rig.passwords import PASSWORD
from tests.rig.promises import CLOSED_LIST, kept
from tests.rig.wire import JSON, ask, post
from tests.rig.world import HTTPS, World

RIGHT: Final = f"username=alice&password={PASSWORD.replace(' ', '+')}"
HSTS: Final = "max-age=63072000; includeSubDomains"
WAYS: Final[dict[int, Callable[[Flask], Answer]]] = {
    200: ask,
    303: lambda app: post(app, "/", RIGHT),
    400: lambda app: post(app, "/", "username=%ff"),
    401: lambda app: post(app, "/", "username=alice&password=wrong"),
    403: lambda app: ask(app, "POST", headers=[("Origin", "https://evil.test")]),
    404: lambda app: ask(app, "GET", "/nope"),
    405: lambda app: ask(app, "PUT"),
    413: lambda app: post(app, "/", b"a" * 20_000),
    415: lambda app: post(app, "/", RIGHT, content_type="text/plain"),
    421: lambda app: ask(app, HTTP_HOST="evil.test"),
    429: lambda app: [post(app, "/", RIGHT) for _ in range(4)][-1],
    503: lambda app: ask(app, "GET", "/account", headers=[("Cookie", cookie_of(app))]),
}
by_status = pytest.mark.parametrize("status", WAYS)


def cookie_of(app: Flask) -> str:
    """Return a cookie that makes the app look into its sessions."""
    name = "__Host-vestibule" if app.extensions["vestibule"].public.is_https else "vestibule_session"
    return f"{name}={'A' * 43}"


def app_of(world: World, status: int, **changed: object) -> Flask:
    """Return an app that answers with this status when it is asked as `WAYS` says."""
    if status == 429:
        changed["outer_limit"] = OuterLimit(3, "memory://", {}, b"a key")
    if status == 503:
        changed["sessions"] = Gone()
    return world.app(**changed)


class Gone:
    """A store that cannot be reached."""

    def find(self, _token_hash: bytes) -> None:
        raise Unavailable("sqlite: /var/lib/secret.sqlite3 is locked")


@by_status
def test_every_status_carries_every_header_once(world: World, status: int) -> None:
    """Framing, sniffing, referrer, isolation, permissions, caching and the request's id, on plain http."""
    answer = kept(WAYS[status](app_of(world, status)))

    assert answer.status == status
    assert answer.all("Strict-Transport-Security") == []


@by_status
def test_https_is_promised_on_every_status(world: World, status: int) -> None:
    """On an https address every answer carries HSTS once, for two years and with the sub-domains (BH-05)."""
    answer = kept(WAYS[status](app_of(world, status, public=HTTPS)))

    assert (answer.status, answer.all("Strict-Transport-Security")) == (status, [HSTS])


@pytest.mark.parametrize("claimed", ["https", "HTTPS,http", "http", "javascript"])
def test_the_scheme_is_never_a_claim(world: World, claimed: str) -> None:
    """X-Forwarded-Proto and the connection's own scheme change neither HSTS nor the cookie (HD-05)."""
    headers = [("X-Forwarded-Proto", claimed), ("X-Forwarded-Ssl", "on"), ("Forwarded", f"proto={claimed}")]
    plain = post(world.app(), "/", RIGHT, headers=headers, **{"wsgi.url_scheme": "https"})
    secure = post(world.app(public=HTTPS), "/", RIGHT, headers=headers, **{"wsgi.url_scheme": "http"})

    assert (plain.all("Strict-Transport-Security"), secure.all("Strict-Transport-Security")) == ([], [HSTS])
    assert ("Secure" in str(plain.get("Set-Cookie")), "Secure" in str(secure.get("Set-Cookie"))) == (False, True)


def policy(answer: Answer) -> dict[str, str]:
    """Return the content security policy by directive, with the nonce named instead of shown."""
    directives = [part.strip().partition(" ") for part in (answer.get("Content-Security-Policy") or "").split(";")]
    assert len({name for name, _, _ in directives}) == len(directives)
    return {name: value for name, _, value in directives}


@by_status
def test_the_policy_allows_nothing_that_no_page_needs(world: World, status: int) -> None:
    """No other origin, nothing inline but by nonce, no eval, no base, no frame, no plug-in (BH-01)."""
    found = policy(WAYS[status](app_of(world, status)))
    nonce = found["script-src"]

    assert found == {
        "default-src": "'none'",
        "object-src": "'none'",
        "style-src": f"'self' {nonce}",
        "script-src": nonce,
        "img-src": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "form-action": "'self'",
    }
    assert nonce.startswith("'nonce-")
    assert len(nonce) >= 32


def test_a_nonce_is_used_once(world: World) -> None:
    """Two hundred answers have two hundred nonces, and no page shows one that is not its own."""
    app = world.app()
    nonces = [policy(ask(app, "GET", target))["script-src"] for target in ["/", "/nope"] * 100]

    assert len(set(nonces)) == 200


@pytest.mark.parametrize(
    ("rd", "allowed"),
    [
        ("https://app.example.test/a?b=c", "'self' https://app.example.test"),
        ("HTTPS://APP.example.test:443/", "'self' https://app.example.test"),
        ("https://app.example.test;script-src *", "'self'"),
        ("https://app.example.test.evil.test/", "'self'"),
        ("https://evil.test/", "'self'"),
        ("//app.example.test/", "'self'"),
        ("/account", "'self'"),
        ("", "'self'"),
    ],
)
def test_a_form_may_end_at_the_one_validated_origin(world: World, rd: str, allowed: str) -> None:
    """form-action grows by the origin of this page's own `rd`, on the form and on its refusal, and by nothing else."""
    app = world.app(return_origins=frozenset({"https://app.example.test"}))
    encoded = rd.replace(";", "%3B").replace(" ", "%20")

    pages = ask(app, "GET", f"/?rd={encoded}"), post(app, "/", f"username=a&password=b&rd={encoded}")

    assert [policy(page)["form-action"] for page in pages] == [allowed, allowed]
    assert policy(ask(app))["form-action"] == "'self'"


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_page_says_once_when_to_come_back(status: int) -> None:
    """The sentence of a status leaves that to the line below it."""
    page = nginx_files(Brand("Name", "#0f5f6b"))[f"errors/{status}.html"].decode()

    assert page.count("Please try") == 1


@pytest.mark.parametrize("status", sorted(messages.MESSAGES))
def test_every_status_has_its_words(world: World, status: int) -> None:
    """Each refusal of the closed list, those that only nginx gives too, has a page and a JSON body of ours."""
    app = world.app()

    with app.test_request_context("/"):
        page = errors.answer(status, retry_after=30)
    with app.test_request_context("/", headers=[JSON]):
        answer = errors.answer(status, retry_after=30)

    assert status in CLOSED_LIST
    assert (page.status_code, answer.status_code) == (status, status)
    assert f"Error {status}" in page.get_data(as_text=True)
    assert answer.get_json()["error"] == messages.MESSAGES[status].name


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("", False),
        ("*/*", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("application/json", True),
        ("application/*", True),
        ("application/json, text/html;q=0.9", True),
        ("application/json;q=0.1, text/html;q=0.9", False),
        ("application/json;q=0", False),
        ("image/png", False),
    ],
)
def test_json_where_accept_prefers_it(world: World, accept: str, *, is_json: bool) -> None:
    """A client that ranks JSON above HTML gets JSON; every other one gets the page."""
    answer = kept(ask(world.app(), "GET", "/nope", headers=[("Accept", accept)]))

    assert (answer.get("Content-Type") == "application/json") is is_json


def test_another_brand_is_another_version(world: World) -> None:
    """What may be kept for ever never changes under its address."""
    services = world.services()
    brands = [services.brand, replace(services.brand, accent="#aa0000"), replace(services.brand, logo=b"\x89PNG")]

    versions = {ask(world.app(brand=brand)).text.partition("/static/")[2][:8] for brand in brands}

    assert len(versions) == 3


def test_two_apps_in_one_process_keep_apart(world: World) -> None:
    """Neither header nor cookie of one app leaks into another one made after it (Talisman keeps options on views)."""
    plain, secure = world.app(), world.app(public=HTTPS)

    answers = [post(app, "/", RIGHT) for app in (plain, secure, plain)]

    assert [bool(answer.all("Strict-Transport-Security")) for answer in answers] == [False, True, False]
