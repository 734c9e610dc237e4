"""A notice is shown once, in the browser in which something happened."""

import pytest
from flask.testing import FlaskClient

from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.world import HTTPS, World, browser

RIGHT = {"username": "alice", "password": PASSWORD}
CHANGE = {"current": PASSWORD, "password": OTHER_PASSWORD, "repeat": OTHER_PASSWORD}
SIGNED_OUT, CHANGED = "You are signed out.", "Your password is changed."


def test_it_is_said_once(client: FlaskClient) -> None:
    """The page that follows says it; the same page asked for again does not."""
    client.post("/", data=RIGHT)
    client.post("/account/password", data=CHANGE)
    changed = [CHANGED in client.get("/account").text for _ in range(2)]
    client.post("/logout")
    signed_out = [SIGNED_OUT in client.get("/").text for _ in range(2)]

    assert (changed, signed_out) == ([True, False], [True, False])


@pytest.mark.parametrize("notice", ["signed-out", "password-set", "password-changed"])
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
