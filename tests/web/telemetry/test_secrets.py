"""What is never in the log, whatever people type and wherever they type it (OB-05)."""

import json
import re
from typing import Final

from service.login import app_passwords
from service.login.links import Purpose, hand_out
from service.login.sessions import Session
from tests.rig.apps import app as wiki
from tests.rig.memory_store import MemoryLinks, MemorySessions
from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.people import NOW
from tests.rig.wire import ask, post
from tests.rig.world import World, browser
from tests.web.telemetry.conftest import Lines

RIGHT: Final = {"username": "alice", "password": PASSWORD}


def tour(world: World) -> list[str]:
    """Use every page well and badly, with a canary in every place; return the secrets that were in play."""
    world.apps = (wiki(),)
    app = world.app()
    client = browser(app)
    client.post("/", data=RIGHT, headers={"Referer": "http://localhost:8080/setup?token=canary-referer"})
    first = client.get_cookie("vestibule_session", domain="localhost")
    link = hand_out(Purpose.RESET, "a1", links=MemoryLinks(world.rows), now=NOW)
    for method in (client.get, client.post):
        for path in ("/", "/logout", "/setup", "/account", "/account/password", "/account/app-passwords/new", "/nope"):
            method(f"{path}?password=canary-query&token={link}&rd=/canary-rd", headers={"Authorization": "canary-auth"})
    client.post("/", data={"username": "canary-unknown", "password": "canary-password"})
    client.post("/", data={"username": "alice", "password": "canary-wrong"})
    client.post("/", data={"username": PASSWORD, "password": "alice"})
    client.post("/", data=RIGHT)
    client.post("/account/password", data={"current": "canary-current", "password": "canary-new", "repeat": "canary"})
    form = {"name": "canary-name", "app-wiki": "on", "current": PASSWORD}
    client.post("/account/app-passwords/new", data=form | {"current": "canary-current"})
    made = re.findall(app_passwords.FORM, client.post("/account/app-passwords/new", data=form).text)[0]
    client.post("/account/app-passwords", data={"id": "canary-id"})
    client.post("/setup", data={"token": link, "password": "canary short", "repeat": "canary short"})
    client.post("/setup", data={"token": link, "password": OTHER_PASSWORD, "repeat": OTHER_PASSWORD})
    client.post("/", data="username=canary-raw&password=%ff", content_type="application/x-www-form-urlencoded")
    client.get("/account", headers={"Cookie": "canary-cookie=canary; vestibule_session=canary-session"})
    assert first is not None
    return [first.value, made, link, PASSWORD, OTHER_PASSWORD, "canary", "$argon2", "rd=", "token="]


def test_no_secret_is_ever_written(world: World, lines: Lines) -> None:
    """No password, token, cookie, hash, query string or typed-in unknown name stands in any line (OB-05)."""
    secrets = tour(world)

    written = json.dumps(lines(), ensure_ascii=False)
    assert len(written) > 5000
    assert [secret for secret in secrets if secret in written] == []


class Failing(MemorySessions):
    """A store that fails with an unexpected exception, wherever it is asked."""

    def find(self, token_hash: bytes) -> None:  # noqa: ARG002
        raise RuntimeError("no such column")

    def add(self, session: Session) -> None:  # noqa: ARG002
        raise RuntimeError("no such table")


def test_no_failure_tells_a_secret(world: World, lines: Lines) -> None:
    """The traceback of a malfunction, too, has neither what was typed nor what was sent (OB-05, OB-09)."""
    app = world.app(sessions=Failing(world.rows))
    sent = [("Cookie", "vestibule_session=" + "canary" * 7 + "c"), ("Authorization", "canary")]
    body = f"username=alice&password={PASSWORD}&rd=/canary&x=canary".replace(" ", "+")

    answers = [ask(app, "GET", "/account?canary", headers=sent), post(app, "/?canary", body)]

    written = json.dumps(lines())
    assert [answer.status for answer in answers] == [503, 503]
    assert [secret for secret in ("canary", PASSWORD, "$argon2") if secret in written] == []
    assert ("no such column" in written, "no such table" in written) == (True, True)
