"""Requests that another site sends in a signed-in person's name: refused, and nothing changed (CS)."""

from dataclasses import dataclass

import pytest
from flask import Flask

from service.login.app_passwords import AppPassword
from service.login.links import Purpose, hand_out
from tests.rig.answer import Answer
from tests.rig.apps import app as wiki
from tests.rig.memory_store import MemoryLinks, Rows
from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.people import NOW
from tests.rig.promises import kept
from tests.rig.wire import FORM, JSON, ask, post
from tests.rig.world import HTTPS, World
from tests.web.addresses import addresses

POSTED = ["/", "/account/app-passwords", "/account/app-passwords/new", "/account/password", "/logout", "/setup"]
SIGN_IN = f"username=alice&password={PASSWORD.replace(' ', '+')}"
Headers = list[tuple[str, str]]


@dataclass
class Victim:
    """A browser that is signed in, and forms that would do something if they got through."""

    world: World
    app: Flask
    cookie: tuple[str, str]
    forms: dict[str, str]

    def post(self, target: str, headers: Headers) -> Answer:
        """Submit the form that belongs to the address."""
        return kept(ask(self.app, "POST", target, headers=headers, body=self.forms[target].encode(), content_type=FORM))


def kept_rows(rows: Rows) -> tuple[object, ...]:
    """Return everything that is kept, but for when sessions were last used."""
    sessions = {(s.token_hash, s.account_id, s.created_at) for s in rows.sessions.values()}
    return dict(rows.accounts), sessions, dict(rows.links), dict(rows.app_passwords)


@pytest.fixture
def victim(world: World) -> Victim:
    world.apps = (wiki(),)
    app = world.app()
    world.rows.app_passwords[b"x"] = AppPassword("p1", b"x", "a1", "phone", ("wiki",), NOW)
    cookie = (post(app, "/", SIGN_IN).get("Set-Cookie") or "").partition(";")[0]
    token = hand_out(Purpose.INVITATION, "a1", links=MemoryLinks(world.rows), now=NOW)
    new = OTHER_PASSWORD.replace(" ", "+")
    forms = {
        "/": SIGN_IN,
        "/logout": "",
        "/account/app-passwords": "id=p1",
        "/account/app-passwords/new": f"name=tablet&app-wiki=on&current={PASSWORD.replace(' ', '+')}",
        "/account/password": f"current={PASSWORD.replace(' ', '+')}&password={new}&repeat={new}",
        "/setup": f"token={token}&password={new}&repeat={new}",
    }
    return Victim(world, app, ("Cookie", cookie), forms)


def test_the_table_is_complete(victim: Victim) -> None:
    """These are all the addresses that take a POST; a new one belongs into the tables below."""
    assert sorted(addresses(victim.app, "POST")) == POSTED


@pytest.mark.parametrize("target", POSTED)
@pytest.mark.parametrize(
    "sent",
    [
        [("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "same-site")],
        [("Sec-Fetch-Site", "")],
        [("Sec-Fetch-Site", "Same-Origin")],
        [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "cross-site"), ("Origin", "http://localhost:8080")],
        [("Origin", "https://evil.test")],
        [("Origin", "null")],
        [("Origin", "")],
        [("Origin", "http://localhost")],
        [("Origin", "http://localhost:80")],
        [("Origin", "http://localhost:80800")],
        [("Origin", "https://localhost:8080")],
        [("Origin", "http://localhost:8080.evil.test")],
        [("Origin", "http://xlocalhost:8080")],
        [("Origin", "http://localhost:8080/")],
        [("Origin", "http://localhost:8080, https://evil.test")],
        [("Referer", "http://localhost:8080/")],
        [],
    ],
    ids=str,
)
def test_another_site_changes_nothing(victim: Victim, target: str, sent: Headers) -> None:
    """A POST with a session's cookie that shows no sign of coming from our own page gets 403, and no row changes."""
    before = kept_rows(victim.world.rows)

    answer = victim.post(target, [victim.cookie, *sent])
    as_json = victim.post(target, [victim.cookie, *sent, JSON])

    assert (answer.status, as_json.status, as_json.json["error"]) == (403, 403, "forbidden")
    assert kept_rows(victim.world.rows) == before
    assert answer.all("Set-Cookie") == []


@pytest.mark.parametrize("target", POSTED)
@pytest.mark.parametrize(
    "sent",
    [
        [("Sec-Fetch-Site", "same-origin")],
        [("Sec-Fetch-Site", "none")],
        [("Sec-Fetch-Site", "same-origin"), ("Origin", "https://evil.test")],
        [("Origin", "http://localhost:8080")],
    ],
    ids=str,
)
def test_our_own_page_gets_through(victim: Victim, target: str, sent: Headers) -> None:
    """The browser's own word counts; without it, the origin's."""
    before = kept_rows(victim.world.rows)

    answer = victim.post(target, [victim.cookie, *sent])

    assert answer.status == (200 if target.endswith("/new") else 303)  # an app password is shown in the answer
    assert kept_rows(victim.world.rows) != before


@pytest.mark.parametrize(("cookie", "status"), [("", 303), ("x=1", 403)])
def test_a_command_line_client_signs_in(world: World, cookie: str, status: int) -> None:
    """Without either header a POST passes when no cookie at all comes with it."""
    headers = [("Cookie", cookie)] if cookie else []

    assert ask(world.app(), "POST", headers=headers, body=SIGN_IN.encode(), content_type=FORM).status == status


def test_another_site_signs_no_browser_in(world: World) -> None:
    """Login CSRF: an attacker's own credentials from an attacker's page open no session (CS-11)."""
    answer = ask(
        world.app(), "POST", headers=[("Origin", "https://evil.test")], body=SIGN_IN.encode(), content_type=FORM
    )

    assert (answer.status, answer.all("Set-Cookie"), world.rows.sessions) == (403, [], {})


@pytest.mark.parametrize(
    "origin", ["https://auth.example.test:443", "http://auth.example.test", "https://auth.example.test.evil.test"]
)
def test_an_https_address_has_one_origin(world: World, origin: str) -> None:
    """Another scheme, port or suffix is another site (CS-09)."""
    app = world.app(public=HTTPS)
    sent = {"body": SIGN_IN.encode(), "content_type": FORM}

    assert ask(app, "POST", headers=[("Origin", origin)], **sent).status == 403  # type: ignore[arg-type]
    assert ask(app, "POST", headers=[("Origin", "https://auth.example.test")], **sent).status == 303  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "FOOBAR", "get"])
def test_other_methods_are_no_way_around(victim: Victim, method: str) -> None:
    """Whatever is not safe is held to the same rule, on every address."""
    answers = [
        ask(victim.app, method, target, headers=[victim.cookie, ("Origin", "https://evil.test")]).status
        for target in addresses(victim.app, "GET")
    ]

    assert set(answers) == {403}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_changes_nothing(victim: Victim, method: str) -> None:
    """Every address, asked for with a session from another site: rows stay as they are (CS-17)."""
    before = kept_rows(victim.world.rows)
    victim.world.now += 60

    for target in addresses(victim.app, method):
        for query in ("", "?token=" + victim.forms["/setup"][6:49], "?" + SIGN_IN, "?_method=POST"):
            kept(
                ask(victim.app, method, target + query, headers=[victim.cookie, ("Sec-Fetch-Site", "cross-site")]),
                head=True,
            )

    assert kept_rows(victim.world.rows) == before


def test_no_preflight_is_granted(victim: Victim) -> None:
    """CORS is never allowed: a preflight gets Allow, and no header that lets another site read or write (CS-15)."""
    asking = [
        ("Origin", "https://evil.test"),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "x-a"),
    ]

    for target in addresses(victim.app, "OPTIONS"):
        answer = kept(ask(victim.app, "OPTIONS", target, headers=[victim.cookie, *asking]))
        assert answer.status in {200, 204}
        assert "GET" in (answer.get("Allow") or "")
        assert [name for name, _ in answer.headers if name.lower().startswith("access-control-")] == []
