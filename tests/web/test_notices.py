"""A notice is shown once, in the browser in which something happened."""

import pytest
from flask.testing import FlaskClient

from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.world import HTTPS, World, browser

RIGHT = {"username": "alice", "password": PASSWORD}
CHANGE = {"current": PASSWORD, "password": OTHER_PASSWORD, "repeat": OTHER_PASSWORD}
SIGNED_OUT, CHANGED = "You are signed out.", "Your password is changed."
BEFORE = "You were signed out before the form arrived"


def test_it_is_said_once(client: FlaskClient) -> None:
    """The page that follows says it; the same page asked for again does not."""
    client.post("/", data=RIGHT)
    client.post("/account/password", data=CHANGE)
    changed = [CHANGED in client.get("/account").text for _ in range(2)]
    client.post("/logout")
    signed_out = [SIGNED_OUT in client.get("/").text for _ in range(2)]

    assert (changed, signed_out) == ([True, False], [True, False])


def test_a_form_that_arrives_after_signing_out_says_so(client: FlaskClient, world: World) -> None:
    """The sign-in page says once why a form changed nothing; a page that was only asked for needs no reason."""
    client.post("/", data=RIGHT)
    world.rows.sessions.clear()
    asked = client.get("/account/password", follow_redirects=True).text
    said = [BEFORE in client.post("/account/password", data=CHANGE, follow_redirects=True).text]
    said += [BEFORE in client.get("/").text]

    assert said == [True, False]
    assert BEFORE not in asked


def test_a_session_that_is_alive_hides_it(client: FlaskClient, world: World) -> None:
    """The second request of a double click finds its session replaced: the browser is signed in and sees no reason."""
    client.post("/", data=RIGHT)
    live = dict(world.rows.sessions)
    world.rows.sessions.clear()
    client.post("/account/password", data=CHANGE)
    world.rows.sessions.update(live)

    assert client.get("/").location == "/account"
    assert BEFORE not in client.get("/account").text


@pytest.mark.parametrize("notice", ["signed-out", "signed-out-before", "password-set", "password-changed"])
def test_no_link_can_say_it(client: FlaskClient, notice: str) -> None:
    """No parameter of an address puts a notice on a page."""
    plain = client.get("/").text

    assert client.get("/", query_string={"notice": notice}).text == plain
    assert 'role="status"' not in plain


def test_other_hosts_cannot_set_it(world: World) -> None:
    """Over https its name makes browsers refuse it from any other host; what is in it is none of the page's words."""
    client = browser(world.app(public=HTTPS))
    cookie = next(each for each in client.post("/logout").headers.getlist("Set-Cookie") if "notice" in each)
    client.set_cookie("__Host-vestibule-notice", "<b>send money</b>", domain=HTTPS.host)

    assert cookie.startswith("__Host-vestibule-notice=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=60"} <= set(cookie.split("; "))
    assert "send money" not in client.get("/").text
