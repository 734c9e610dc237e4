"""The probe: a browser that keeps no cookie like the session's is told so at once, before the password is checked."""

from urllib.parse import urlencode

import pytest

from tests.rig.answer import Answer
from tests.rig.passwords import PASSWORD
from tests.rig.promises import copy_of, kept
from tests.rig.wire import FORM, JSON, SAME, ask
from tests.rig.world import HTTPS, LOCAL, World
from tests.web.rendered import Page

NAVIGATE = ("Sec-Fetch-Mode", "navigate")  # as every browser says that opens a page or sends a form
SENT = {"username": "alice", "password": PASSWORD, "rd": "/account/password"}


def send(world: World, *headers: tuple[str, str], **services: object) -> Answer:
    """Send the sign-in form with these headers alone."""
    return kept(
        ask(world.app(**services), "POST", "/", headers=headers, body=urlencode(SENT).encode(), content_type=FORM)
    )


@pytest.mark.parametrize(
    ("services", "name", "domain"),
    [
        ({"public": LOCAL}, "vestibule_session_probe", None),
        ({"public": HTTPS}, "__Host-vestibule-probe", None),
        ({"public": HTTPS, "cookie_domain": "example.test"}, "__Secure-vestibule-probe", "example.test"),
        ({"public": LOCAL, "cookie_domain": "example.test"}, "vestibule_session_probe", None),
    ],
)
def test_it_is_like_the_session(world: World, services: dict[str, object], name: str, domain: str | None) -> None:
    """Prefix, Domain, Path, Secure, HttpOnly and SameSite are those of the session cookie; only its time differs."""
    probe = ask(world.app(**services)).one("Set-Cookie")
    session = send(world, ("Sec-Fetch-Site", "none"), ("Cookie", f"{name}=1"), **services).all("Set-Cookie")[0]

    assert probe.startswith(f"{name}=1; ")
    assert _attributes(probe) == _attributes(session)
    assert (f"Domain={domain}" in probe) is (domain is not None)


def _attributes(cookie: str) -> set[str]:
    return {each for each in cookie.split("; ")[1:] if not each.startswith(("Max-Age", "Expires"))}


def test_without_it_no_password_is_checked(world: World) -> None:
    """The form comes back as it was sent, without the password; nothing was counted, nothing written."""
    before = copy_of(world.rows)

    answer = send(world, SAME, NAVIGATE)

    fields = {field.attributes["name"]: field.attributes.get("value") for field in Page(answer.text).all("input")}
    assert (answer.status, world.rows) == (400, before)
    assert "Your browser keeps no cookie" in answer.text
    assert (fields["username"], fields["rd"], fields["password"]) == ("alice", "/account/password", None)


def test_trying_again_works(world: World) -> None:
    """The answer sets the probe, so that a browser that keeps it this time is let in."""
    probe = send(world, SAME, NAVIGATE).one("Set-Cookie").partition(";")[0]

    answer = send(world, SAME, NAVIGATE, ("Cookie", probe))

    assert (answer.status, answer.get("Location")) == (303, "/account/password")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 303),  # curl
        ([SAME], 303),  # a program that says so little of itself
        ([("Origin", LOCAL.origin)], 303),  # a browser of before 2023
        ([SAME, NAVIGATE, ("Cookie", f"vestibule_session={'A' * 43}")], 303),  # the second click of a double click
        ([SAME, NAVIGATE, ("Cookie", "vestibule_device=x")], 400),
        ([SAME, NAVIGATE, ("Cookie", "xvestibule_session_probe=1")], 400),
        ([SAME, NAVIGATE, ("Cookie", "__Host-vestibule-probe=1")], 400),
        ([SAME, NAVIGATE, JSON], 400),
    ],
)
def test_who_is_asked_for_it(world: World, headers: list[tuple[str, str]], status: int) -> None:
    """A browser that opens a page; a cookie of the session's name proves as much. Programs are not asked."""
    assert send(world, *headers).status == status


@pytest.mark.parametrize(
    ("services", "settings"),
    [
        ({"public": LOCAL}, []),
        ({"public": HTTPS}, ["VESTIBULE_PUBLIC_URL"]),
        (
            {"public": HTTPS, "cookie_domain": "example.test"},
            ["VESTIBULE_PUBLIC_URL", "VESTIBULE_SESSIONS__COOKIE_DOMAIN"],
        ),
    ],
)
def test_it_names_the_settings(world: World, services: dict[str, object], settings: list[str]) -> None:
    """The page, and JSON, name each setting that can be why browsers refuse the cookie."""
    page, program = send(world, SAME, NAVIGATE, **services), send(world, SAME, NAVIGATE, JSON, **services)

    known = ("VESTIBULE_PUBLIC_URL", "VESTIBULE_SESSIONS__COOKIE_DOMAIN")
    assert [each for each in known if each in page.text] == settings
    assert [each for each in known if each in program.json["message"]] == settings
    assert program.json["error"] == "cookie_refused"
