"""App passwords on the account page: made with the current password, shown once, ended with a click."""

import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.access.rules import Allow, Rule
from service.login.app_passwords import FORM, AppPassword
from service.login.sessions import hash_of
from tests.rig.apps import app as an_app
from tests.rig.gates import full_gate
from tests.rig.passwords import PASSWORD
from tests.rig.people import NOW, alice
from tests.rig.wire import JSON
from tests.rig.world import World, browser

LIST = "/account/app-passwords"
NEW = f"{LIST}/new"
WANTED = {"name": "phone", "app-wiki": "on", "ends": "90", "current": PASSWORD}


@pytest.fixture
def world() -> World:
    """Two apps that take app passwords, one that takes none, and one that is for others."""
    others = (Rule(number=1, groups=("ops",)), Rule(number=2, allow=Allow.EVERYONE, report_only=True))
    return World(
        apps=(
            an_app("wiki"),
            an_app("files", title="<Files>"),
            an_app("mail", app_passwords=False),
            an_app("ops", rules=others),
            an_app("bank", rules=(Rule(number=1, allow=Allow.SIGNED_IN, fresh=60),)),
        )
    )


@pytest.fixture
def app(world: World) -> Flask:
    return world.app()


@pytest.fixture
def inside(app: Flask) -> FlaskClient:
    """A browser that is signed in."""
    return signed_in(app)


def signed_in(app: Flask, name: str = "alice") -> FlaskClient:
    client = browser(app)
    assert client.post("/", data={"username": name, "password": PASSWORD}).status_code == 303
    return client


def only(world: World) -> AppPassword:
    """Return the one app password that is kept."""
    (password,) = world.rows.app_passwords.values()
    return password


def test_it_is_shown_once(inside: FlaskClient, world: World) -> None:
    """In the answer to the form, which nothing may store, with the username; the list has its name and apps alone."""
    made = inside.post(NEW, data=WANTED | {"app-files": "on"})

    (text,) = set(re.findall(FORM, made.text))
    assert (made.status_code, made.headers["Cache-Control"]) == (200, "no-store")
    assert (">alice<" in made.text, "&lt;Files&gt;, Wiki" in made.text) == (True, True)
    assert (only(world).token_hash, only(world).ends_at) == (hash_of(text), NOW + 90 * 86_400)
    listed = inside.get(LIST).text
    assert (re.findall(FORM, listed), "phone" in listed, "Never used, ends in 90 days" in listed) == ([], True, True)


def test_the_list_says_when_it_was_used_and_that_it_has_ended(inside: FlaskClient, world: World) -> None:
    """In everyday words; one that has ended can be removed."""
    inside.post(NEW, data=WANTED | {"ends": ""})
    password = only(world)
    shown = []
    for changed in (replace(password, seen_at=NOW - 7200), replace(password, ends_at=NOW)):
        world.rows.app_passwords[password.token_hash] = changed
        shown.append(inside.get(LIST).text)

    assert ("Used 2 hours ago<" in shown[0], ">End<" in shown[0]) == (True, True)
    assert ("Never used, has ended<" in shown[1], ">Remove<" in shown[1]) == (True, True)


def test_ending_one(inside: FlaskClient, world: World) -> None:
    """The row is gone, the list says so once; a second click is no fault and says nothing."""
    inside.post(NEW, data=WANTED)
    form = {"id": only(world).id}

    answers = [inside.post(LIST, data=form) for _ in range(2)]

    assert [(answer.status_code, answer.headers["Location"]) for answer in answers] == [(303, LIST)] * 2
    assert world.rows.app_passwords == {}
    assert ["has ended. No program" in inside.get(LIST).text for _ in range(2)] == [True, False]


def test_nobody_ends_another_persons(app: Flask, inside: FlaskClient, world: World) -> None:
    """The answer is that for an unknown id: it tells neither that there is one nor whose."""
    inside.post(NEW, data=WANTED)
    world.rows.accounts["b"] = alice(id="b", username="bob")
    bob = signed_in(app, "bob")

    answers = [bob.post(LIST, data={"id": password_id}) for password_id in (only(world).id, "0" * 12, "")]

    assert {(answer.status_code, answer.headers["Location"], answer.text) for answer in answers} == {(303, LIST, "")}
    assert only(world).account_id == "a1"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": " "}, "The name must be one line"),
        ({"name": "a\nb"}, "The name must be one line"),
        ({"app-wiki": None}, "for at least one app"),
        ({"app-mail": "on"}, "not an app that takes app passwords"),
        ({"app-ops": "on"}, "not an app that takes app passwords"),
        ({"app-bank": "on"}, "not an app that takes app passwords"),
        ({"current": "wrong"}, "Your current password is not right."),
        ({"current": None}, "Your current password is not right."),
    ],
)
def test_a_refused_form_comes_back(
    inside: FlaskClient, world: World, changed: dict[str, str | None], said: str
) -> None:
    """With what was typed but the password, and what is wrong; a program gets it as JSON. Nothing is made."""
    form = {key: value for key, value in (WANTED | {"name": "<phone>"} | changed).items() if value is not None}

    page, answer = inside.post(NEW, data=form), inside.post(NEW, data=form, headers=dict([JSON]))

    assert (page.status_code, answer.status_code) == (400, 400)
    assert said in page.text
    assert said in answer.get_json()["message"]
    assert ("&lt;phone&gt;" in page.text) is ("name" not in changed)
    assert ('value="90" selected' in page.text, PASSWORD in page.text) == (True, False)
    assert world.rows.app_passwords == {}


def test_a_life_that_the_form_does_not_offer_is_refused(inside: FlaskClient, world: World) -> None:
    """It is not taken for one without an end."""
    assert [inside.post(NEW, data=WANTED | {"ends": days}).status_code for days in ("9999", "x", "-1")] == [400] * 3
    assert world.rows.app_passwords == {}


def test_only_apps_that_a_program_may_use_are_offered(inside: FlaskClient) -> None:
    """Those that take app passwords, and of which a rule in force admits the account without a fresh sign-in."""
    assert set(re.findall(r'name="app-([a-z]+)"', inside.get(NEW).text)) == {"wiki", "files"}


def test_one_app_is_chosen_already(world: World) -> None:
    """Where only one app takes app passwords, the form has it chosen."""
    world.apps = world.apps[:1]

    assert 'name="app-wiki" type="checkbox" checked' in signed_in(world.app()).get(NEW).text


def test_thirty_apps_can_be_chosen(world: World) -> None:
    """A form has as many fields as there are apps."""
    world.apps = tuple(an_app(f"app{number}") for number in range(30))
    inside = signed_in(world.app())

    made = inside.post(NEW, data=WANTED | {f"app-app{number}": "on" for number in range(30)} | {"app-wiki": None})

    assert (made.status_code, len(only(world).apps)) == (200, 30)


def test_without_such_an_app_there_is_no_form(world: World) -> None:
    """The account page leads to no app passwords, unless some are left from before."""
    world.apps = ()
    inside = signed_in(world.app())

    assert "<form" not in inside.get(NEW).text
    assert LIST not in inside.get("/account").text
    world.rows.app_passwords[b"x"] = AppPassword("p1", b"x", "a1", "phone", ("wiki",), NOW)
    assert LIST in inside.get("/account").text
    assert ("phone" in inside.get(LIST).text, "No app of yours" in inside.get(LIST).text) == (True, True)


def test_changing_the_password_says_that_they_go_on(inside: FlaskClient) -> None:
    """It is said to those alone who have some."""
    before = inside.get("/account/password").text
    inside.post(NEW, data=WANTED)

    assert ["app passwords go on" in text for text in (before, inside.get("/account/password").text)] == [False, True]


def test_a_double_click_makes_one_that_works(inside: FlaskClient, world: World) -> None:
    """The browser shows the answer to the second; the one it shows is the one that is kept."""
    texts = [re.findall(FORM, inside.post(NEW, data=WANTED).text)[0] for _ in range(2)]

    assert (only(world).token_hash, texts[0] != texts[1]) == (hash_of(texts[1]), True)
    world.now += 60
    assert "already" in inside.post(NEW, data=WANTED).text


def test_a_full_gate_sheds_it(world: World) -> None:
    """503 with Retry-After, as for every other form with a password."""
    inside = signed_in(world.app())
    cookie = inside.get_cookie("vestibule_session", domain="localhost")
    assert cookie is not None
    busy = browser(world.app(gate=full_gate()))
    busy.set_cookie("vestibule_session", cookie.value, domain="localhost")

    answer = busy.post(NEW, data=WANTED)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
