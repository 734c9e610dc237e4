"""`vestibule audit list`: what happened, and what each command adds to it."""

import pytest

from service.login.audit import Entry, Happened
from tests.cli.terminal import Terminal
from tests.rig.passwords import PASSWORD
from tests.rig.people import NOW


@pytest.fixture(autouse=True)
def _happened(terminal: Terminal) -> None:
    """Two things that happened to two people, from two networks."""
    terminal.world.rows.trail += [
        Entry(NOW - 7200, Happened.SIGN_IN_REFUSED, "alice", "192.0.2.7", "password", "wrong_password"),
        Entry(NOW - 60, Happened.SIGNED_IN, "bob", "2001:db8::5", "password", detail="0123456789ab"),
    ]


def test_the_newest_comes_first(terminal: Terminal) -> None:
    """With when, what, to whom, from where, by what and with what outcome."""
    said = terminal.said("audit", "list").splitlines()

    assert said[0].split()[3:] == ["authn_login_success", "bob", "2001:db8::5", "password", "done", "0123456789ab"]
    assert said[1].split()[:3] == ["2027-01-15", "06:00:00", "UTC"]


@pytest.mark.parametrize(
    ("asked", "accounts"),
    [
        (["--account", "ALICE"], ["alice"]),
        (["--account", "nobody"], []),
        (["--network", "192.0.2.0/24"], ["alice"]),
        (["--network", "2001:db8::1"], ["bob"]),
        (["--since", "1h"], ["bob"]),
        (["--since", "2027-01-15T05:30"], ["bob", "alice"]),
        (["--since", "2027-01-15T08:30:00+01:00"], ["bob"]),
        (["--since", "2027-01-16"], []),
    ],
)
def test_only_what_was_asked_for(terminal: Terminal, asked: list[str], accounts: list[str]) -> None:
    """By account, by network, since a time."""
    assert [entry["account"] for entry in terminal.json("audit", "list", *asked)] == accounts


@pytest.mark.parametrize(("asked", "code"), [("--since=soon", 2), ("--network=nonsense", 1), ("--account=?", 1)])
def test_what_cannot_be_read_is_said(terminal: Terminal, asked: str, code: int) -> None:
    """An invalid time, an invalid network, and an invalid username are refused."""
    terminal.refused("audit", "list", asked, code=code)


@pytest.mark.parametrize(
    ("call", "event"),
    [
        (("account", "add", "carol", "--password-stdin"), "user_created"),
        (("account", "edit", "alice", "--email", "a@example.org"), "user_updated"),
        (("account", "disable", "alice"), "user_updated"),
        (("account", "enable", "alice"), "user_updated"),
        (("account", "delete", "alice", "--yes"), "user_deleted"),
        (("account", "reset-link", "alice"), "authn_link_created"),
        (("session", "end", "--account", "alice"), "session_expired"),
        (("session", "end", "--all"), "session_expired"),
        (("setup", "link"), "authn_link_created"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_operators_do_is_kept(terminal: Terminal, call: tuple[str, ...], event: str) -> None:
    """Each command that changes something adds one entry, with the operator's name."""
    terminal.said(*call, stdin=PASSWORD + "\n")

    newest = terminal.json("audit", "list")[0]
    assert (newest["event"], newest["by"].split()[0], len(terminal.world.rows.trail)) == (event, "operator", 3)


@pytest.mark.parametrize(
    ("user", "sudo", "by"),
    [
        (0, "", "operator root"),
        (0, "anna", "operator anna as root"),
        (4_000_000, "anna", "operator 4000000"),
        (4_000_000, "", "operator 4000000"),
    ],
)
def test_the_trail_names_the_operator(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, user: int, sudo: str, by: str
) -> None:
    """The user of the process, by number where it has no name; SUDO_USER counts only where the process is root's."""
    monkeypatch.setattr("os.getuid", lambda: user)
    monkeypatch.setenv("SUDO_USER", sudo)

    terminal.said("account", "enable", "alice")

    assert terminal.world.rows.trail[-1].by == by
