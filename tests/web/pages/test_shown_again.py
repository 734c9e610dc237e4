"""A sign-in that was refused for now comes back as it was sent, but for the password, and can be sent again."""

from collections.abc import Callable
from typing import Any, Final, NoReturn
from urllib.parse import urlencode

import pytest
from flask import Flask
from structlog.testing import capture_logs

from service.services import OuterLimit, Unavailable
from tests.rig.answer import Answer
from tests.rig.gates import full_gate
from tests.rig.memory_attempts import MemoryAttempts
from tests.rig.passwords import PASSWORD
from tests.rig.promises import kept
from tests.rig.wire import FORM, JSON, SAME, ask, post, probe
from tests.rig.world import World
from tests.web.attack import LIMITS, use_up
from tests.web.rendered import Page

RD: Final = "https://app.test/board?a[]=1&b=%"
ORIGINS: Final = frozenset({"https://app.test"})
NAME: Final = '"><script>\0username\0rd\0'
SENT: Final = {"username": NAME, "password": "hunter2 in clear", "remember": "on", "rd": RD}


class Away(MemoryAttempts):
    """Attempts that cannot be counted."""

    error: Exception = Unavailable("away")

    def reserve(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise self.error


class Broken(Away):
    """Attempts that cannot be counted for a reason that the service does not know."""

    error = KeyError("hunter2")


def throttled(world: World) -> Flask:
    """Return an app that takes no more attempts from where the tests ask."""
    app = world.app(throttles=LIMITS, return_origins=ORIGINS)
    use_up(app, "alice", "192.0.2.7")
    use_up(app, "nobody", "192.0.2.7")
    return app


def limited(world: World) -> Flask:
    """Return an app that takes no more forms."""
    app = world.app(outer_limit=OuterLimit(1, "memory://", {}, b"a key"), return_origins=ORIGINS)
    post(app, "/", "username=x")
    return app


APPS: Final[dict[str, Callable[[World], Flask]]] = {
    "429 attempts": throttled,
    "429 forms": limited,
    "503 busy": lambda world: world.app(gate=full_gate(), return_origins=ORIGINS),
    "503 unavailable": lambda world: world.app(attempts=Away(world.rows), return_origins=ORIGINS),
    "503 malfunction": lambda world: world.app(attempts=Broken(world.rows), return_origins=ORIGINS),
    "403 cross-site": lambda world: world.app(return_origins=ORIGINS),
}


def send(app: Flask, case: str, form: dict[str, str], **more: Any) -> Answer:
    """Send a sign-in; as another site's form where that is the case."""
    sent = ("Origin", "null") if case.startswith("403") else SAME
    headers = [sent, ("Cookie", probe(app)), *more.pop("headers", ())]
    with capture_logs():
        return kept(ask(app, "POST", "/", headers=headers, body=urlencode(form).encode(), content_type=FORM, **more))


@pytest.mark.parametrize("case", APPS)
def test_what_was_typed_stays_in_the_form(world: World, case: str) -> None:
    """Target, name and "stay signed in" are there, as text and byte for byte; the password is not."""
    answer = send(APPS[case](world), case, SENT)

    page = Page(answer.text)
    fields = {field.attributes["name"]: field.attributes for field in page.all("input")}
    assert answer.status == int(case[:3])
    assert fields["rd"]["value"] == RD
    assert fields["username"]["value"].replace("\ufffd", "\0") == NAME
    assert "checked" in fields["remember"]
    assert ("value" in fields["password"], "hunter2" in answer.text) == (False, False)
    assert page.by_id("problem").attributes["role"] == "alert"
    assert "form-action 'self' https://app.test" in str(answer.get("Content-Security-Policy"))


@pytest.mark.parametrize("case", APPS)
def test_a_form_without_anything_comes_back_empty(world: World, case: str) -> None:
    """Nothing of an earlier person's form is in the next one's: pages are kept, what was typed is not."""
    app = APPS[case](world)
    send(app, case, SENT)

    answer = send(app, case, {"username": "nobody"})

    fields = {field.attributes["name"]: field.attributes for field in Page(answer.text).all("input")}
    assert answer.status == int(case[:3])
    assert fields.keys() == {"username", "password", "remember"}
    assert fields["username"]["value"] == "nobody"
    assert "checked" not in fields["remember"]
    assert "app.test" not in answer.text + str(answer.headers)


@pytest.mark.parametrize("case", APPS)
def test_a_program_gets_json(world: World, case: str) -> None:
    """Where Accept prefers JSON the answer is the short one."""
    assert send(APPS[case](world), case, SENT, headers=[JSON]).json["error"]


@pytest.mark.parametrize("body", [b"username=%ff", b"username=a&username=b", b"a" * 17_000])
def test_a_form_that_cannot_be_read_is_not_shown(world: World, body: bytes) -> None:
    """Refused before it is read, a form that has no one reading gets the page without a form."""
    answer = kept(post(limited(world), "/", body))

    assert answer.status == 429
    assert "<form" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.test")],
        [("Sec-Fetch-Site", "cross-site")],
        [("Origin", "https://evil.test")],
    ],
)
def test_what_another_site_filled_in_is_not_shown(world: World, headers: list[tuple[str, str]]) -> None:
    """Where the browser says that a form is another site's, its name and target are in no page of ours."""
    body = urlencode(SENT | {"username": "mallory"}).encode()

    answer = kept(ask(world.app(return_origins=ORIGINS), "POST", "/", headers=headers, body=body, content_type=FORM))

    assert (answer.status, "<form" in answer.text, "mallory" in answer.text) == (403, False, False)


@pytest.mark.parametrize("target", ["/account/password", "/setup?token=x", "/logout"])
def test_trying_again_leads_back_to_the_form(world: World, target: str) -> None:
    """On the page that refuses another form, "Try again" asks for the address of that form."""
    world.rows.sessions.clear()
    answer = kept(ask(world.app(), "POST", target, headers=[("Origin", "null")], body=b"", content_type=FORM))

    (link,) = Page(answer.text).all("a")
    assert (answer.status, link.text, link.attributes["href"]) == (403, "Try again", "")


def test_the_right_password_then_lets_in(world: World) -> None:
    """What the page sends, with the password typed again, is a sign-in that ends where it was meant to."""
    app = throttled(world)
    answer = send(app, "429 attempts", SENT | {"username": "alice"})
    fields = {f.attributes["name"]: f.attributes.get("value", "on") for f in Page(answer.text).all("input")}
    world.now += 3600

    again = post(app, "/", urlencode(fields | {"password": PASSWORD}))

    assert (again.status, again.get("Location")) == (303, RD)
    assert [session.remembered for session in world.rows.sessions.values()] == [True]
