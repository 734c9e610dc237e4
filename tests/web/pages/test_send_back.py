"""A browser that is signed in and is led to the sign-in page by the door of an app."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.access.apps import App
from service.access.judged_set import JudgedSet
from service.access.public_address import PublicAddress
from tests.rig.passwords import PASSWORD
from tests.rig.people import LIFETIMES, alice
from tests.rig.world import HTTPS, World, browser
from tests.web.door.asking import WIKI
from tests.web.rendered import Page

RIGHT = {"username": "alice", "password": PASSWORD}
PAGE, ADMIN = "https://wiki.example.test/a%2Fb//c?x=1", "https://wiki.example.test/admin"


@pytest.fixture
def world() -> World:
    world = World()
    world.rows.accounts["a1"] = alice(groups=("ops",))
    return world


def visitor(world: World, *, app: App = WIKI, **services: Any) -> FlaskClient:
    """Return a browser in which alice is signed in."""
    chosen: dict[str, Any] = {"public": HTTPS, "cookie_domain": "example.test", "apps": lambda: JudgedSet([app])}
    chosen["lifetimes"] = replace(LIFETIMES, idle=1000)
    client = browser(world.app(**chosen | services))
    assert client.post("/", data=RIGHT).status_code == 303
    return client


def ask(client: FlaskClient, rd: str, **query: str) -> TestResponse:
    return client.get(f"/?{urlencode({'rd': rd} | query)}")


def test_back_to_an_app(world: World) -> None:
    """A page of an app is returned to byte for byte, after signing in and when signed in already."""
    client = visitor(world)

    assert ask(client, PAGE).headers["Location"] == PAGE
    assert client.post("/", data=RIGHT | {"rd": PAGE}).headers["Location"] == PAGE


def test_a_password_is_asked_for_again(world: World) -> None:
    """A session that is not fresh is not sent back: the form says why, knows who, and may end at the app."""
    client = visitor(world)
    world.now += 600

    answer = ask(client, ADMIN)

    page = Page(answer.text)
    fields = {field.attributes["name"]: field.attributes.get("value") for field in page.all("input")}
    assert answer.status_code == 200
    assert "asks for your password again" in answer.text
    assert (fields["username"], fields["rd"], fields["password"]) == ("alice", ADMIN, None)
    assert "form-action 'self' https://wiki.example.test" in answer.headers["Content-Security-Policy"]


def test_after_the_password_a_new_session(world: World) -> None:
    """The password makes a fresh session in place of the old one, which is sent back."""
    client = visitor(world)
    (old,) = world.rows.sessions
    world.now += 600

    answer = client.post("/", data=RIGHT | {"rd": ADMIN})

    assert answer.headers["Location"] == ADMIN
    assert [old in world.rows.sessions, len(world.rows.sessions)] == [False, 1]
    assert ask(client, ADMIN).headers["Location"] == ADMIN


def test_staying_signed_in_stays(world: World) -> None:
    """The form of a session that stays signed in has the tick."""
    client = visitor(world)
    client.post("/", data=RIGHT | {"remember": "on"})
    world.now += 600

    (tick,) = (field for field in Page(ask(client, ADMIN).text).all("input") if field.attributes["name"] == "remember")

    assert "checked" in tick.attributes


@pytest.mark.parametrize(
    ("fresh", "status"), [("600", 200), ("601", 303), ("0", 200), ("x", 303), ("-1", 200), ("", 303)]
)
def test_a_request_of_another_path_asks_too(world: World, fresh: str, status: int) -> None:
    """A script or a form that was refused for the age of the session leads to a page whose own rule is content."""
    client = visitor(world)
    world.now += 600

    assert ask(client, "https://wiki.example.test/", fresh=fresh).status_code == status


def test_only_apps_ask(world: World) -> None:
    """Without an app as the target no link makes this page ask for a password."""
    client = visitor(world)

    assert ask(client, "/account/password", fresh="0").headers["Location"] == "/account/password"
    assert ask(client, "https://evil.test/", fresh="0").headers["Location"] == "/account"


def bounced(client: FlaskClient, times: int, rd: str = PAGE) -> list[int]:
    return [ask(client, rd).status_code for _ in range(times)]


def test_the_third_bounce_ends(world: World) -> None:
    """A browser that comes back for the same page for the third time in ten seconds gets a page that says why."""
    client = visitor(world)

    assert bounced(client, 4) == [303, 303, 403, 403]
    answer = ask(client, PAGE)
    assert "The way back is broken" in answer.text
    assert "vestibule doctor https://wiki.example.test" in answer.text


def test_other_pages_and_later_ones_are_no_loop(world: World) -> None:
    """Several pages that are opened at once, and one that is opened again later, are sent back."""
    client = visitor(world)

    assert [*bounced(client, 2), *bounced(client, 2, f"{PAGE}2"), *bounced(client, 2, ADMIN)] == [303] * 6
    world.now += 10
    assert bounced(client, 3) == [303, 303, 403]


def test_two_tabs_in_two_loops(world: World) -> None:
    """Two tabs that bounce in turn end both."""
    client = visitor(world)

    statuses = [bounced(client, 1, rd)[0] for _ in range(3) for rd in (PAGE, ADMIN)]

    assert statuses == [303] * 4 + [403] * 2


@pytest.mark.parametrize("value", ["x", "9" * 4000, "-".join(["9999999999ffffffff"] * 50), "1800000000zzzzzzzz"])
def test_a_forged_count(world: World, value: str) -> None:
    """Whatever a client sends as its count, it is read or it is none."""
    client = visitor(world)
    client.set_cookie("__Host-vestibule-bounces", value, domain="auth.example.test")

    assert bounced(client, 3) == [303, 303, 403]


@pytest.mark.parametrize(
    ("services", "address", "setting"),
    [
        ({}, WIKI.address, "does not pass on the cookie __Secure-vestibule"),
        ({"cookie_domain": None}, WIKI.address, "VESTIBULE_SESSIONS__COOKIE_DOMAIN is not set"),
        (
            {"cookie_domain": "auth.example.test"},
            WIKI.address,
            "VESTIBULE_SESSIONS__COOKIE_DOMAIN is auth.example.test",
        ),
        ({}, PublicAddress("http", "wiki.example.test", 80), "VESTIBULE_PUBLIC_URL"),
    ],
)
def test_what_the_page_names(world: World, services: dict[str, Any], address: PublicAddress, setting: str) -> None:
    """The page names the setting that keeps the session from the app."""
    client = visitor(world, app=replace(WIKI, address=address), **services)

    answer = [ask(client, f"{address.origin}/") for _ in range(3)][-1]

    assert (answer.status_code, setting in " ".join(p.text for p in Page(answer.text).all("p"))) == (403, True)


def test_the_apps_of_a_person(world: World) -> None:
    """The account's page links to each app that the account may open, and to no other."""
    git = replace(WIKI, name="git", title="Git", address=replace(WIKI.address, host="git.example.test"), rules=())
    client = visitor(world, apps=lambda: JudgedSet([git, WIKI]))

    page = Page(client.get("/account").text)

    assert [a.attributes["href"] for a in page.all("a") if "://" in a.attributes["href"]] == [
        "https://wiki.example.test/"
    ]
    assert "Wiki" in [each.text for each in page.all("strong")]
