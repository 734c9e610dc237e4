"""`vestibule session …`: live sessions, and ending them."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from service.login.sessions import SignedIn
from tests.cli.terminal import Terminal
from tests.rig.memory_store import MemorySessions
from tests.rig.passwords import PASSWORD
from tests.rig.people import LIFETIMES, NOW, alice
from tests.rig.promises import copy_of
from tests.rig.world import browser


def signed_in(terminal: Terminal, name: str = "alice", **form: str) -> FlaskClient:
    """Return a browser that signed in."""
    client = browser(terminal.world.app())
    form |= {"username": name, "password": PASSWORD}
    assert client.post("/", data=form, headers={"User-Agent": "Otter/1"}).status_code == 303
    return client


@pytest.fixture
def crowd(terminal: Terminal) -> dict[str, FlaskClient]:
    """Three browsers of two people, one after another."""
    terminal.world.rows.accounts["b"] = alice(id="b", username="bob")
    browsers = {}
    for terminal.world.now, name, who in [
        (NOW, "first", "alice"),
        (NOW + 1, "second", "alice"),
        (NOW + 2, "bob's", "bob"),
    ]:
        browsers[name] = signed_in(terminal, who)
    return browsers


def test_who_is_signed_in(terminal: Terminal, crowd: dict[str, FlaskClient]) -> None:
    """Newest first, with when and from where; what has ended by itself or was shut out is not there."""
    said = terminal.said("session", "list").splitlines()
    terminal.world.rows.accounts["b"] = alice(id="b", username="bob", disabled_at=NOW)
    without_bob = terminal.said("session", "list").splitlines()
    terminal.world.now = NOW + 100
    without_the_oldest = terminal.said("session", "list").splitlines()

    assert [line.split()[1] for line in said] == ["bob", "alice", "alice"]
    assert said[0].split()[2:] == ["2027-01-15", "08:00:02", "UTC", "127.0.0.1"]
    assert (len(crowd), len(without_bob), len(without_the_oldest)) == (3, 2, 1)


def test_one_persons_sessions(terminal: Terminal, crowd: dict[str, FlaskClient]) -> None:
    """Only those of the account that was asked for, in any spelling; an unknown username is refused."""
    assert len(crowd) == 3
    assert len(terminal.json("session", "list", "--account", "ALICE")) == 2
    assert "no account" in terminal.refused("session", "list", "--account", "nobody")
    assert "no account" in terminal.refused("session", "list", "--account", "")


def test_one_persons_sessions_are_found_without_reading_all(terminal: Terminal, crowd: dict[str, FlaskClient]) -> None:
    """However many are signed in, only that account's sessions are read; ended and shut out ones are left out."""
    only_of_account = OnlyOfAccount(terminal.world.rows)
    words = ("session", "list", "--account", "alice")
    terminal.world.now = NOW + LIFETIMES.idle
    of_alice = terminal.run(*words, sessions=only_of_account)
    terminal.world.rows.accounts["a1"] = alice(disabled_at=NOW)

    assert (len(crowd), [line.split()[1] for line in of_alice.stdout.splitlines()]) == (3, ["alice"])
    assert (terminal.run(*words, sessions=only_of_account).stdout, of_alice.exception) == ("", None)


class OnlyOfAccount(MemorySessions):
    """A store that is too large to be read whole."""

    def all(self) -> Iterator[SignedIn]:
        raise AssertionError("all sessions were read")


def test_a_session_tells_no_secret(terminal: Terminal, crowd: dict[str, FlaskClient]) -> None:
    """The list has the public id; neither the token nor the digest that is kept."""
    cookie = crowd["first"].get_cookie("vestibule_session", domain="localhost")
    listed = terminal.json("session", "list")

    assert listed[0].keys() == {"id", "account", "created_at", "seen_at", "remembered", "address", "user_agent"}
    assert listed[0]["user_agent"] == "Otter/1"
    assert cookie is not None
    digests = {digest.hex() for digest in terminal.world.rows.sessions}
    assert [secret for secret in {cookie.value, *digests} if secret in str(listed)] == []


def test_ending_one(terminal: Terminal, crowd: dict[str, FlaskClient]) -> None:
    """The next request of that browser is refused, all others go on."""
    oldest = terminal.json("session", "list")[-1]["id"]

    assert terminal.said("session", "end", oldest) == "Sessions ended: 1.\n"
    assert [client.get("/account").status_code for client in crowd.values()] == [303, 200, 200]
    assert oldest in terminal.refused("session", "end", oldest)


def test_ending_all_of_one_person(terminal: Terminal, crowd: dict[str, FlaskClient]) -> None:
    """Every session of that account ends and no other; a second call ends none and succeeds."""
    ended = [terminal.json("session", "end", "--account", "Alice")["ended"] for _ in range(2)]

    assert ended == [2, 0]
    assert [client.get("/account").status_code for client in crowd.values()] == [303, 303, 200]


def test_ending_all(terminal: Terminal, crowd: dict[str, FlaskClient]) -> None:
    """Everybody is out."""
    assert terminal.json("session", "end", "--all") == {"ended": 3}
    assert [client.get("/account").status_code for client in crowd.values()] == [303] * 3


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ([], 2),
        (["x", "--all"], 2),
        (["--all", "--account", "alice"], 2),
        (["x", "--account", "alice"], 2),
        (["nothing"], 1),
        ([""], 1),
        (["--account", "nobody"], 1),
        (["--account", ""], 1),
    ],
    ids=str,
)
def test_it_ends_nothing_that_was_not_asked_for(terminal: Terminal, typed: list[str], code: int) -> None:
    """Nothing named, two things at once, or nothing found: refused, and no session ends."""
    signed_in(terminal)
    before = copy_of(terminal.world.rows)

    terminal.refused("session", "end", *typed, code=code)

    assert terminal.world.rows == before
