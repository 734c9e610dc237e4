"""`vestibule app-password …`: making, listing and ending them; and what offboarding says about apps."""

import re

import pytest

from service.login.app_passwords import FORM
from tests.cli.terminal import Terminal
from tests.rig.apps import app
from tests.rig.people import NOW, alice


def made(terminal: Terminal, name: str = "phone", *options: str) -> str:
    return terminal.said("app-password", "add", "Alice", "--name", name, "--app", "wiki", *options).strip()


def test_it_is_printed_once(terminal: Terminal) -> None:
    """Alone on standard output, for a program to read; what it is good for stands on standard error."""
    terminal.world.apps += (app("files"),)
    said = terminal.run(
        *("app-password", "add", "alice", "--name", "phone", "--app", "wiki", "--app", "files", "--for", "90d")
    )

    assert re.fullmatch(FORM + "\n", said.stdout)
    assert said.stderr == (
        "It is shown only now. It works for files, wiki, until 2027-04-15 08:00:00 UTC, with the username alice.\n"
    )
    assert said.stdout.strip() not in terminal.run("app-password", "list", "alice", "--json").output


def test_in_json(terminal: Terminal) -> None:
    """With its id, apps and end; `list` gives the same without the app password."""
    told = terminal.json("app-password", "add", "alice", "--name", "phone", "--app", "wiki")
    listed = terminal.json("app-password", "list", "alice")

    assert (re.fullmatch(FORM, told.pop("app_password")) is not None, told.pop("account")) == (True, "alice")
    assert listed == [told]
    known = {"name": "phone", "apps": ["wiki"], "created_at": NOW, "ends_at": None, "seen_at": None}
    assert told == known | {"id": told["id"]}


def test_the_list_says_what_is_used_and_what_has_ended(terminal: Terminal) -> None:
    """Newest first: an app password that was never used is one to end."""
    made(terminal, "phone", "--for", "10s")
    terminal.world.now += 1
    made(terminal, "laptop")
    (laptop,) = [each for each in terminal.world.rows.app_passwords.values() if each.name == "laptop"]
    terminal.world.services().app_passwords.touch(laptop.token_hash, now=NOW + 2)
    terminal.world.now += 9

    lines = terminal.said("app-password", "list", "alice").splitlines()

    assert [re.sub(r"^[0-9a-f]{12}  |  +", " ", line).strip() for line in lines] == [
        "laptop for wiki; used 2027-01-15 08:00:02 UTC; no end",
        "phone for wiki; never used; ended",
    ]


def test_ending_one_and_all(terminal: Terminal) -> None:
    """By the id that the list shows; what has ended is gone."""
    made(terminal, "phone")
    made(terminal, "laptop")
    first = terminal.json("app-password", "list", "alice")[0]["id"]

    assert terminal.said("app-password", "end", "alice", first) == "App passwords ended: 1.\n"
    assert "no app password" in terminal.refused("app-password", "end", "alice", first)
    assert terminal.json("app-password", "end", "alice", "--all") == {"ended": 1}
    assert terminal.run("app-password", "list", "alice").stderr == "alice has no app passwords.\n"


@pytest.mark.parametrize("options", [[], ["ID", "--all"]])
def test_end_takes_one_or_all(terminal: Terminal, options: list[str]) -> None:
    """Neither or both is wrong usage."""
    assert "exactly one" in terminal.refused("app-password", "end", "alice", *options, code=2)


@pytest.mark.parametrize("name", ["mail", "chat"])
def test_an_app_that_takes_none_is_refused_with_what_to_type(terminal: Terminal, name: str) -> None:
    """One that exists without `app_passwords`, and one that does not exist."""
    terminal.world.apps += (app("mail", app_passwords=False),)

    said = terminal.refused("app-password", "add", "alice", "--name", "phone", "--app", name)

    assert said == (
        f"{name!r} is not an app that takes app passwords. "
        "Write app_passwords = true in its file, then: vestibule proxy render --reload\n"
    )


def test_a_disabled_account_gets_none(terminal: Terminal) -> None:
    """The message names the command that enables it."""
    terminal.world.rows.accounts["a1"] = alice(disabled_at=NOW)

    said = terminal.refused("app-password", "add", "alice", "--name", "phone", "--app", "wiki")

    assert said.endswith("vestibule account enable alice\n")


def test_offboarding_ends_them_and_names_apps_with_sessions_of_their_own(terminal: Terminal) -> None:
    """What ended is counted; where a person may still be signed in is named, with its address."""
    made(terminal)
    terminal.world.apps += (app("chat", own_sessions=True),)

    said = terminal.said("account", "offboard", "alice", "--yes")
    told = terminal.json("account", "offboard", "alice", "--yes")

    ended, *apps = said.splitlines()
    assert ended.startswith("Offboarded alice; sessions ended: 0; app passwords ended: 1; ")
    assert apps == [
        "These apps keep sessions of their own; end those there:",
        "  chat  https://chat.example.test",
    ]
    assert (told["app_passwords_ended"], told["own_sessions"]) == (0, ["chat"])
    assert terminal.world.rows.app_passwords == {}
