"""Changing one's own password: needs the current one, and ends every other session (6.2.3, SS-07)."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.hashing.fair_queue import Job
from service.hashing.gate import Result, Shed
from tests.rig.gates import Gate
from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.people import NOW, alice
from tests.rig.promises import kept
from tests.rig.wire import FORM, SAME, ask
from tests.rig.world import World, browser

RIGHT = {"username": "alice", "password": PASSWORD}
CHANGE = {"current": PASSWORD, "password": OTHER_PASSWORD, "repeat": OTHER_PASSWORD}
NAME = "vestibule_session"


@pytest.fixture
def app(world: World) -> Flask:
    return world.app()


@pytest.fixture
def inside(app: Flask) -> FlaskClient:
    """A browser that is signed in."""
    client = browser(app)
    client.post("/", data=RIGHT)
    return client


def token(client: FlaskClient) -> str:
    """Return the token in a browser's jar."""
    cookie = client.get_cookie(NAME, domain="localhost")
    assert cookie is not None
    return cookie.value


def test_the_new_password_replaces_the_old_one(app: Flask, inside: FlaskClient) -> None:
    """Afterwards only the new one signs in, and the page says so."""
    answer = inside.post("/account/password", data=CHANGE)
    page = inside.get(answer.headers["Location"])

    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert "Your password is changed" in page.text
    assert browser(app).post("/", data=RIGHT).status_code == 401
    assert browser(app).post("/", data=RIGHT | {"password": OTHER_PASSWORD}).status_code == 303


def test_every_other_session_ends(app: Flask, inside: FlaskClient, world: World) -> None:
    """The other browser is out at once; this one goes on under a new token, and the old token is dead."""
    other = browser(app)
    other.post("/", data=RIGHT | {"remember": "on"})
    old = token(inside)

    inside.post("/account/password", data=CHANGE)

    stale = ask(app, "GET", "/account", headers=[("Cookie", f"{NAME}={old}"), ("Accept", "application/json")])
    assert token(inside) != old
    assert (inside.get("/account").status_code, other.get("/account").status_code, stale.status) == (200, 303, 401)
    assert len(world.rows.sessions) == 1


@pytest.mark.parametrize("remember", ["", "on"])
def test_staying_signed_in_goes_on(app: Flask, world: World, remember: str) -> None:
    """The new session is remembered when the old one was, and lives from now."""
    client = browser(app)
    client.post("/", data=RIGHT | {"remember": remember})
    world.now += 50

    answer = client.post("/account/password", data=CHANGE)

    assert ("Max-Age=9000" in answer.headers["Set-Cookie"]) is bool(remember)
    assert [(s.remembered, s.created_at) for s in world.rows.sessions.values()] == [(bool(remember), NOW + 50)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"current": "wrong"},
        {"current": ""},
        {"current": OTHER_PASSWORD},
        {"current": PASSWORD.upper()},
        {"current": f" {PASSWORD}"},
        {"current": f"{PASSWORD}\x00"},
        {"repeat": ""},
        {"repeat": OTHER_PASSWORD + " "},
        {"password": "short", "repeat": "short"},
        {"password": "a" * 129, "repeat": "a" * 129},
        {"password": "alice alice alice", "repeat": "alice alice alice"},
        {"password": "iloveyouiloveyou", "repeat": "iloveyouiloveyou"},
    ],
    ids=str,
)
def test_a_refusal_changes_nothing(inside: FlaskClient, world: World, wrong: dict[str, str]) -> None:
    """400 with a reason, the same session, the same password, and no typed password in the page."""
    before, session = dict(world.rows.accounts), token(inside)

    answer = inside.post("/account/password", data=CHANGE | wrong)

    assert (answer.status_code, token(inside), world.rows.accounts) == (400, session, before)
    assert [typed for typed in (CHANGE | wrong).values() if typed and f'"{typed}"' in answer.text] == []
    assert inside.get("/account").status_code == 200


def test_a_missing_current_password_is_a_wrong_one(inside: FlaskClient) -> None:
    """Leaving the field out is no way around it."""
    form = {name: value for name, value in CHANGE.items() if name != "current"}

    assert inside.post("/account/password", data=form).status_code == 400


@pytest.mark.parametrize("length", [15, 64, 128])
def test_long_passphrases_are_taken(app: Flask, inside: FlaskClient, length: int) -> None:
    """From 15 to 128 characters, emoji included, each code point one character; and it signs in (SZ-03, SZ-05)."""
    words = "wëlk brüsk 🦦 ochre quilt fjord nymph vext zebra gizmo plumb 🚀 " * 3
    new = words[: length - 1].ljust(length - 1, "x") + "!"

    answer = inside.post("/account/password", data={"current": PASSWORD, "password": new, "repeat": new})

    assert (len(new), answer.status_code) == (length, 303)
    assert browser(app).post("/", data=RIGHT | {"password": new}).status_code == 303


@pytest.mark.parametrize(("typed", "works"), [("é", True), ("e\u0301", True), ("e", False), ("É", False)])
def test_one_password_in_two_spellings(app: Flask, inside: FlaskClient, typed: str, *, works: bool) -> None:
    """What two keyboards make of the same letter is the same password (NFC); nothing else is changed (SZ-06..08)."""
    new = "caf\u00e9 otters paint {} lighthouse"
    inside.post("/account/password", data=CHANGE | dict.fromkeys(["password", "repeat"], new.format("é")))

    answer = browser(app).post("/", data=RIGHT | {"password": new.format(typed)})

    assert (answer.status_code == 303) is works


def test_the_second_of_a_double_click_ends_well(app: Flask, inside: FlaskClient) -> None:
    """It comes with the token that the first has just replaced: it changes nothing and takes no cookie away."""
    old = token(inside)
    inside.post("/account/password", data=CHANGE)
    body = "&".join(f"{name}={value}" for name, value in CHANGE.items()).replace(" ", "+").encode()

    second = kept(
        ask(
            app,
            "POST",
            "/account/password",
            headers=[SAME, ("Cookie", f"{NAME}={old}")],
            body=body,
            content_type=FORM,
        )
    )

    assert (second.status, second.get("Location")) == (303, "/?rd=/account/password")
    assert [cookie for cookie in second.all("Set-Cookie") if cookie.startswith(NAME)] == []
    assert inside.get(str(second.get("Location"))).headers["Location"] == "/account/password"


def test_a_password_is_not_changed_without_a_session(app: Flask, world: World) -> None:
    """Signed out, the form and its answer lead to the sign-in page and back; JSON is told 401."""
    client, before = browser(app), dict(world.rows.accounts)

    answers = [client.get("/account/password"), client.post("/account/password", data=CHANGE)]
    as_json = client.post("/account/password", data=CHANGE, headers={"Accept": "application/json"})

    assert [answer.headers["Location"] for answer in answers] == ["/?rd=/account/password"] * 2
    assert (as_json.status_code, world.rows.accounts) == (401, before)


class Full(Gate):
    """A gate that refuses every job."""

    def work(self, job: object, work: object) -> Shed:  # noqa: ARG002 - none is done
        return Shed.BUSY


def test_a_full_gate_says_come_back(world: World) -> None:
    """503 with Retry-After, for signing in and for a new password; nothing is written."""
    inside = browser(world.app())
    inside.post("/", data=RIGHT)
    busy = browser(world.app(gate=Full(threads=1, waiting=0)))
    busy.set_cookie(NAME, token(inside), domain="localhost")
    before = dict(world.rows.accounts)

    answers = [busy.post("/account/password", data=CHANGE), busy.post("/", data=RIGHT)]

    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in answers] == [(503, "2")] * 2
    assert (world.rows.accounts, len(world.rows.sessions)) == (before, 1)


class Meanwhile(Gate):
    """A gate behind which an operator sets another password while the current one is checked."""

    def __init__(self, world: World) -> None:
        super().__init__(threads=1, waiting=1)
        self._world = world

    def work(self, job: Job, work: Callable[[], Result]) -> Result | Shed:
        result = super().work(job, work)
        self._world.rows.accounts["a1"] = alice()
        return result


def test_two_changes_at_once_do_not_both_win(world: World) -> None:
    """A password that was replaced while it was checked is no longer the current one."""
    client = browser(world.app())
    client.post("/", data=RIGHT)
    racing = browser(world.app(gate=Meanwhile(world)))
    racing.set_cookie(NAME, token(client), domain="localhost")

    assert racing.post("/account/password", data=CHANGE).status_code == 400
