"""The table of routes: each declares what it needs; a route that is not in the table fails."""

from typing import Final

import pytest
from flask import Flask

from service.login.links import Purpose, hand_out
from tests.house_rules.project import read
from tests.rig.memory_store import MemoryLinks
from tests.rig.passwords import PASSWORD
from tests.rig.people import NOW
from tests.rig.wire import JSON, ask, post
from tests.rig.world import World

PUBLIC: Final = "public"
SESSION: Final = "needs a session"
LINK: Final = "needs a one-time link"
OPS: Final = "for probes and Prometheus, on nginx's ops listener alone"

ACCESS: Final = {
    "/": PUBLIC,
    "/logout": PUBLIC,  # ends whatever session there is; without one it leads to the sign-in page
    "/account": SESSION,
    "/account/password": SESSION,
    "/account/app-passwords": SESSION,
    "/account/app-passwords/new": SESSION,
    "/setup": LINK,
    "/metrics": OPS,
    "/healthz": OPS,
    "/readyz": OPS,
}
VERBS: Final = dict.fromkeys(
    ("/", "/logout", "/account/password", "/account/app-passwords", "/account/app-passwords/new", "/setup"), "GET POST"
)


@pytest.fixture
def app(world: World) -> Flask:
    return world.app()


@pytest.fixture
def world() -> World:
    return World()


def rules(access: str) -> list[str]:
    """Return the addresses that are protected in this way."""
    return [rule for rule, declared in ACCESS.items() if declared == access]


def test_every_route_declares_its_access(app: Flask) -> None:
    """The table is the URL map: no route is missing, and each row has a route."""
    assert {rule.rule for rule in app.url_map.iter_rules()} == ACCESS.keys()


def test_every_route_declares_its_verbs(app: Flask) -> None:
    """Only forms take a POST; nothing takes anything else."""
    found = {
        rule.rule: " ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})) for rule in app.url_map.iter_rules()
    }

    assert found == {rule: VERBS.get(rule, "GET") for rule in ACCESS}


def test_pages_that_need_a_session_are_declared(app: Flask) -> None:
    """Exactly the pages of the table that need a session have `@needs_session`, which decides for all of them."""
    views = {rule.rule: app.view_functions[rule.endpoint] for rule in app.url_map.iter_rules()}

    assert {path for path, view in views.items() if hasattr(view, "needs_session")} == {*rules(SESSION)}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", rules(SESSION))
def test_what_needs_a_session_refuses_without(app: Flask, path: str, method: str) -> None:
    """A browser is led to sign in and back, a program is told 401; a made-up token is no session."""
    sent = [("Sec-Fetch-Site", "same-origin"), ("Cookie", f"vestibule_session={'A' * 43}")]
    if method not in VERBS.get(path, "GET"):
        assert ask(app, method, path, headers=sent).status == 405
        return

    page, answer = ask(app, method, path, headers=sent), ask(app, method, path, headers=[*sent, JSON])

    assert (page.status, page.get("Location"), answer.status) == (303, f"/?rd={path}", 401)


@pytest.mark.parametrize("path", rules(SESSION))
def test_what_needs_a_session_answers_with_one(app: Flask, path: str) -> None:
    """The same address with a session is a page."""
    cookie = post(app, "/", f"username=alice&password={PASSWORD.replace(' ', '+')}").get("Set-Cookie") or ""

    assert ask(app, "GET", path, headers=[("Cookie", cookie.partition(";")[0])]).status == 200


@pytest.mark.parametrize("path", rules(LINK))
def test_what_needs_a_link_refuses_without(app: Flask, world: World, path: str) -> None:
    """Without a usable link the page is 404, and a session is no link."""
    cookie = post(app, "/", f"username=alice&password={PASSWORD.replace(' ', '+')}").get("Set-Cookie") or ""
    sent = [("Cookie", cookie.partition(";")[0])]
    token = hand_out(Purpose.RESET, "a1", links=MemoryLinks(world.rows), now=NOW)

    statuses = [ask(app, "GET", f"{path}?token={tried}", headers=sent).status for tried in ("", "A" * 43, token)]

    assert statuses == [404, 404, 200]


@pytest.mark.parametrize("path", rules(PUBLIC))
def test_what_is_public_asks_for_nothing(app: Flask, path: str) -> None:
    """A visitor without a session gets the page, or is sent to the sign-in page without a way back."""
    answer = ask(app, "GET", path)

    assert answer.status in {200, 303}
    assert answer.get("Location") in {None, "/"}


@pytest.mark.parametrize("path", rules(OPS))
def test_ops_paths_are_on_the_ops_listener_alone(path: str) -> None:
    """nginx.conf names each of them, and the service answers them for any Host."""
    assert path.lstrip("/") in read("nginx.conf")
