"""`vestibule attempts`, `account unlock`: failed attempts, and clearing them."""

import pytest

from service.login.attempts import Attempt, Scope, digest_of
from service.services import Unavailable
from tests.cli.terminal import Terminal
from tests.rig.memory_attempts import MemoryAttempts
from tests.rig.people import KEYS, NOW, THROTTLES

MINE = Attempt(digest_of("alice", KEYS[0]), "alice", "192.0.2.7/32")
THEIRS = Attempt(digest_of("a password in the wrong field", KEYS[0]), None, "198.51.100.0/32")


@pytest.fixture(autouse=True)
def _tried(terminal: Terminal) -> None:
    """Three attempts at alice, two at an unknown username."""
    kept = MemoryAttempts(terminal.world.rows)
    for attempt in (MINE, MINE, MINE, THEIRS, THEIRS):
        kept.reserve(attempt, THROTTLES, now=NOW - 10)


def test_networks_that_try_passwords(terminal: Terminal) -> None:
    """The busiest first, with how often and when last: what to block."""
    said = terminal.said("attempts", "list").splitlines()

    assert [line.split()[:2] for line in said] == [["3", "192.0.2.7/32"], ["2", "198.51.100.0/32"]]
    assert "2027-01-15 07:59:50 UTC" in said[0]
    assert terminal.json("attempts", "list")[0] == {"network": "192.0.2.7/32", "attempts": 3, "latest_at": NOW - 10}


def test_accounts_that_are_tried(terminal: Terminal) -> None:
    """An account is shown by name; an unknown username is not shown."""
    said = terminal.said("attempts", "list", "--by", "account")
    parsed = terminal.json("attempts", "list", "--by", "account")

    assert [line.split()[:2] for line in said.splitlines()] == [["3", "alice"], ["2", THEIRS.account]]
    assert [each["account"] for each in parsed] == ["alice", None]


def test_attempts_that_count_no_more_are_not_listed(terminal: Terminal) -> None:
    """The list holds only attempts that still count."""
    terminal.world.now = NOW + THROTTLES[Scope.NETWORK].seconds

    assert terminal.said("attempts", "list") == ""


@pytest.mark.parametrize("call", [("attempts", "clear", "--account"), ("account", "unlock")])
def test_an_account_may_be_tried_again(terminal: Terminal, call: tuple[str, ...]) -> None:
    """Its attempts are forgotten, others' are not; the trail says so."""
    assert terminal.said(*call, "ALICE") == "Attempts cleared: 3.\n"
    assert [attempt for _, attempt in terminal.world.rows.attempts.values()] == [THEIRS, THEIRS]
    assert [(entry.event, entry.account) for entry in terminal.world.rows.trail] == [("authn_login_unlock", "alice")]


@pytest.mark.parametrize(
    "call",
    [("attempts", "clear", "--account", "alice"), ("account", "unlock", "alice"), ("attempts", "clear", "--all")],
)
def test_what_was_forgotten_in_part_is_in_the_trail(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, call: tuple[str, ...]
) -> None:
    """With Redis away what SQL counted is forgotten before the command fails: they may try again, which is told."""

    def away(*_: object, **__: object) -> int:
        terminal.world.rows.attempts.clear()
        raise Unavailable

    monkeypatch.setattr(MemoryAttempts, "clear", away)

    terminal.refused(*call, code=3)

    assert [entry.event for entry in terminal.world.rows.trail] == ["authn_login_unlock"]


def test_a_network_may_try_again(terminal: Terminal) -> None:
    """As the list shows it, or all that lie in a wider one."""
    assert terminal.json("attempts", "clear", "--network", "192.0.2.8") == {"cleared": 0}
    assert terminal.json("attempts", "clear", "--network", "192.0.2.0/24") == {"cleared": 3}
    assert terminal.json("attempts", "clear", "--all") == {"cleared": 2}


@pytest.mark.parametrize(
    ("typed", "code"),
    [([], 2), (["--all", "--account", "alice"], 2), (["--account", "nobody"], 1), (["--network", "nonsense"], 1)],
)
def test_nothing_is_forgotten_that_was_not_asked_for(terminal: Terminal, typed: list[str], code: int) -> None:
    """No option, two options, an unknown username and an invalid network change nothing."""
    terminal.refused("attempts", "clear", *typed, code=code)

    assert len(terminal.world.rows.attempts) == 5
