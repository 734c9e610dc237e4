"""`vestibule account …`: accounts are added, changed, disabled, enabled and deleted."""

from dataclasses import replace
from typing import Final

import pytest

from service.login.password_policy import Weakness
from service.web.messages import PROBLEMS
from tests.cli.terminal import Terminal
from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.people import LIFETIMES, NOW, PASSWORDS, alice
from tests.rig.promises import copy_of
from tests.rig.world import browser

BOB: Final = ("account", "add", "bob", "--password-stdin")
SIGN_IN: Final = {"username": "alice", "password": PASSWORD}


def test_an_account_is_added_with_all_that_is_known(terminal: Terminal) -> None:
    """Name, e-mail, groups and role are kept in their one spelling, the password as a hash."""
    known = (
        "--email",
        "bob@example.test",
        "--name",
        "Bob Ölund 鈴木　一郎",
        "--group",
        "Ops",
        "--group",
        "all",
        "--group",
        "ops",
    )

    said = terminal.said("account", "add", "ＢＯＢ", "--admin", "--password-stdin", *known, stdin=PASSWORD + "\n")

    kept = terminal.account("bob")
    assert said == "Added bob.\n"
    assert (kept.email, kept.display_name, kept.groups) == ("bob@example.test", "Bob Ölund 鈴木　一郎", ("all", "ops"))
    assert (kept.is_admin, kept.created_at, kept.disabled_at) == (True, NOW, None)
    assert PASSWORDS.check(kept.password_hash, PASSWORD).matches


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_password_is_one_line_and_nothing_is_taken_off(terminal: Terminal, end: str) -> None:
    """Blanks belong to it; the end of the line does not."""
    terminal.said(*BOB, stdin=f"  {PASSWORD} é {end}")

    assert PASSWORDS.check(terminal.account("bob").password_hash, f"  {PASSWORD} é ").matches


def test_a_password_is_never_an_argument(terminal: Terminal) -> None:
    """There is no option that takes one: arguments stand in the process list."""
    assert "No such option" in terminal.refused("account", "add", "bob", "--password", PASSWORD, code=2)
    assert "Got unexpected extra argument" in terminal.refused("account", "add", "bob", PASSWORD, code=2)


SENTENCES: Final = {
    b"short\n": "Use at least 15 characters.",
    b"x" * 129 + b"\n": "Use at most 128 characters.",
    b"x" * 132 + b"\n": "Use at most 128 characters.",
    b"\n": "Use at least 15 characters.",
    b"": "Use at least 15 characters.",
    b"passwordpassword\n": "A guesser would soon try that password.",
    b"bob bob bob bob bob\n": "That password is made of your name",
    b"\xff not UTF-8 at all\n": "not UTF-8",
    b"\xed\xa0\x80 a lone surrogate\n": "not UTF-8",
}


@pytest.mark.parametrize("typed", SENTENCES, ids=ascii)
def test_a_bad_password_is_refused_with_its_reason(terminal: Terminal, typed: bytes) -> None:
    """One sentence says what is wrong and what would be right; nothing is kept, and the password is not repeated."""
    said = terminal.refused(*BOB, stdin=typed)

    assert SENTENCES[typed] in said
    assert [other for other in set(SENTENCES.values()) - {SENTENCES[typed]} if other in said] == []
    assert len(terminal.world.rows.accounts) == 1


def test_a_weak_password_is_refused_in_the_same_words_everywhere(terminal: Terminal) -> None:
    """The command line says of each weakness what the pages say."""
    weak = {
        Weakness.TOO_SHORT: "x",
        Weakness.TOO_LONG: "x" * 129,
        Weakness.COMMON: "p" * 15,
        Weakness.PERSONAL: "bob bob bob bob bob",
    }
    for weakness, password in weak.items():
        assert PROBLEMS[weakness] in terminal.refused(*BOB, stdin=password)
    assert weak.keys() == set(Weakness)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["two words"], "cannot be a username"),
        ([""], "cannot be a username"),
        (["-"], "cannot be a username"),
        (["a" * 65], "cannot be a username"),
        (["b\u043eb"], "cannot be a username"),
        (["bob\udcff"], "cannot be a username"),
        (["ALICE"], "already an account called 'alice'"),
        (["bob", "--group", "a,b"], "cannot be a group"),
        (["bob", "--group", ""], "cannot be a group"),
        (["bob", "--email", "nobody"], "e-mail"),
        (["bob", "--email", "a b@example.test"], "e-mail"),
        (["bob", "--email", "bob@example.test\nBcc: x"], "e-mail"),
        (["bob", "--email", "é@example.test"], "e-mail"),
        (["bob", "--email", "@" * 3], "e-mail"),
        (["bob", "--name", "two\nlines"], "control character"),
        (["bob", "--name", "\x1b[31mred"], "control character"),
        (["bob", "--name", "\udcff"], "control character"),
        (["bob", "--name", "x" * 201], "at most 200"),
    ],
    ids=ascii,
)
def test_what_cannot_be_is_refused_before_a_password_is_asked_for(
    terminal: Terminal, options: list[str], why: str
) -> None:
    """One sentence says what is wrong with what was typed; nothing is kept."""
    before = copy_of(terminal.world.rows)

    assert why in terminal.refused("account", "add", *options, "--password-stdin", stdin="")
    assert terminal.world.rows == before


def test_an_account_is_edited(terminal: Terminal) -> None:
    """What is given changes, what is not given stays, the password always."""
    terminal.world.rows.accounts["a1"] = alice(groups=("ops",), email="a@example.test")
    kept = [terminal.account("alice")]
    for options in (["--name", "Alice"], ["--group", "b", "--group", "A"], ["--admin"], ["--no-groups", "--email", ""]):
        assert terminal.said("account", "edit", "Alice", *options) == "Changed alice.\n"
        kept.append(terminal.account("alice"))

    assert kept[1:] == [
        replace(kept[0], display_name="Alice"),
        replace(kept[1], groups=("a", "b")),
        replace(kept[2], is_admin=True),
        replace(kept[3], groups=(), email=""),
    ]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 2),
        (["--group", "a", "--no-groups"], 2),
        (["--group", "a b"], 1),
        (["--email", "x"], 1),
        (["--name", "\n"], 1),
    ],
)
def test_a_bad_edit_changes_nothing(terminal: Terminal, options: list[str], code: int) -> None:
    """Nothing to change, two things at once, or something impossible: refused, and everything stays."""
    before = copy_of(terminal.world.rows)

    terminal.refused("account", "edit", "alice", *options, code=code)

    assert terminal.world.rows == before


def test_the_list_says_who_there_is(terminal: Terminal) -> None:
    """One line for each account, by name, with its state, its role and its groups."""
    terminal.world.rows.accounts |= {
        "b": alice(id="b", username="bob", disabled_at=NOW, groups=("ops", "x")),
        "c": alice(id="c", username="carol", password_hash=None, is_admin=True),
    }

    assert [line.split() for line in terminal.said("account", "list").splitlines()] == [
        ["alice", "active"],
        ["bob", "disabled", "ops,x"],
        ["carol", "invited", "administrator"],
    ]


def test_showing_one_account(terminal: Terminal) -> None:
    """All that is known in words, how many sessions there are, and never the hash."""
    browser(terminal.world.app()).post("/", data=SIGN_IN)

    said = terminal.said("account", "show", "ALICE")

    assert dict(line.split(maxsplit=1) for line in said.splitlines() if len(line.split()) > 1) == {
        "id": "a1",
        "username": "alice",
        "created_at": "2027-01-15 07:43:20 UTC",
        "is_admin": "False",
        "disabled_at": "-",
        "device_cookies_after": "-",
        "password_changed_at": "-",
        "has_password": "True",
        "state": "active",
        "sessions": "1",
        "app_passwords": "0",
    }


def test_showing_counts_only_sessions_that_live(terminal: Terminal) -> None:
    """A session that has ended by itself is not counted, although its row is still there."""
    browser(terminal.world.app()).post("/", data=SIGN_IN)
    terminal.world.now += LIFETIMES.idle

    assert terminal.json("account", "show", "alice")["sessions"] == 0
    assert len(terminal.world.rows.sessions) == 1


@pytest.mark.parametrize("verb", ["show", "edit", "delete", "disable", "offboard", "enable", "invite", "reset-link"])
@pytest.mark.parametrize("name", ["nobody", "", "no body", "al%", "\udcff"], ids=ascii)
def test_an_unknown_name(terminal: Terminal, verb: str, name: str) -> None:
    """Every verb says so, in the same words, names the command that lists the usernames, and does nothing."""
    before = copy_of(terminal.world.rows)
    options = ["--admin"] if verb == "edit" else ["--yes"] if verb in {"delete", "offboard"} else []

    refused = terminal.refused("account", verb, name, *options)
    assert refused == f"There is no account called {name!r}. List the usernames: vestibule account list\n"
    assert terminal.world.rows == before


def test_the_new_password_is_as_good_as_any(terminal: Terminal) -> None:
    """An account added on the command line signs in with the password that was given there."""
    terminal.said(*BOB, stdin=OTHER_PASSWORD)

    answer = browser(terminal.world.app()).post("/", data={"username": "bob", "password": OTHER_PASSWORD})

    assert answer.status_code == 303
