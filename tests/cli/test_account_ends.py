"""`vestibule account disable` and `offboard`: what ends, what comes back, and the last administrator."""

from typing import Final

import pytest

from tests.cli.terminal import Terminal
from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.people import NOW, alice
from tests.rig.world import browser

SIGN_IN: Final = {"username": "alice", "password": PASSWORD}


def test_disabling_ends_sessions_at_once(terminal: Terminal) -> None:
    """Its session ends, its password is refused, and after enabling the same password works again."""
    app = terminal.world.app()
    inside = browser(app)
    inside.post("/", data=SIGN_IN)

    assert (
        terminal.said("account", "disable", "alice") == "Disabled alice; sessions ended: 1; app passwords ended: 0.\n"
    )
    assert (inside.get("/account").status_code, browser(app).post("/", data=SIGN_IN).status_code) == (303, 401)
    assert terminal.world.rows.sessions == {}
    assert terminal.said("account", "enable", "alice") == "Enabled alice.\n"
    assert (inside.get("/account").status_code, browser(app).post("/", data=SIGN_IN).status_code) == (303, 303)


def test_disabling_ends_a_link_that_is_still_about(terminal: Terminal) -> None:
    """A link that leaked is worth nothing after the account was shut, also when it is opened again."""
    terminal.said("account", "reset-link", "alice")

    terminal.said("account", "disable", "alice")
    terminal.said("account", "enable", "alice")

    assert terminal.world.rows.links == {}


def test_offboarding_makes_known_devices_unknown(terminal: Terminal) -> None:
    """What ended is printed; a browser that signed in before is no known device after `enable`."""
    inside = browser(terminal.world.app())
    inside.post("/", data=SIGN_IN)
    terminal.said("account", "reset-link", "alice")
    terminal.world.now += 1

    said = terminal.said("account", "offboard", "alice", "--yes")

    assert said == (
        "Offboarded alice; sessions ended: 1; app passwords ended: 0; one-time links revoked: 1; "
        "device cookies: all invalid.\n"
    )
    assert (terminal.world.rows.sessions, terminal.world.rows.links) == ({}, {})
    terminal.said("account", "enable", "alice")
    inside.post("/", data=SIGN_IN | {"password": OTHER_PASSWORD})
    assert [attempt.device for _, attempt in terminal.world.rows.attempts.values()] == [None]


def test_offboarding_in_json(terminal: Terminal) -> None:
    """The account's facts, with the moment up to which its device cookies are invalid, and what ended."""
    told = terminal.json("account", "offboard", "alice", "--yes")

    assert (told["state"], told["disabled_at"], told["device_cookies_after"]) == ("disabled", NOW, NOW)
    assert (told["sessions_ended"], told["links_ended"]) == (0, 0)


@pytest.mark.parametrize("verb", [["disable"], ["offboard", "--yes"], ["delete", "--yes"], ["edit", "--no-admin"]])
@pytest.mark.parametrize("others", [0, 1])
def test_the_last_administrator_does_not_go_silently(terminal: Terminal, verb: list[str], others: int) -> None:
    """The command works, and warns with what to type to get an administrator again; that command then works."""
    terminal.world.rows.accounts["a1"] = alice(is_admin=True)
    if others:
        terminal.world.rows.accounts["b"] = alice(id="b", username="bob", is_admin=True)

    done = terminal.run("account", *verb, "alice")

    warning = "Warning: alice is the last administrator. To make a new one: vestibule setup link\n"
    assert (done.exit_code, done.stderr) == (0, "" if others else warning)
    assert terminal.run("setup", "link").exit_code == others
