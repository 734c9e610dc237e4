"""Limits at every entrance where a password is checked, told to stores in memory."""

from dataclasses import replace

import pytest

from service.hashing.fair_queue import Job
from service.hashing.gate import Result, Shed
from service.login import device_cookies
from service.login.attempts import Limit, Scope, Throttled
from service.login.audit import Happened
from service.login.new_password import Browser, Problem, change
from service.login.sign_in import Client, Granted, Reason, Refused, with_password
from service.login.stores import Stores
from tests.login.changing import AGREED
from tests.rig.gates import Gate
from tests.rig.memory_store import Rows
from tests.rig.passwords import PASSWORD
from tests.rig.people import CLIENT, KEYS, NOW, alice, session_of, stores

FEW = {
    Scope.ACCOUNT_FROM_NETWORK: Limit(3, 900),
    Scope.NETWORK: Limit(6, 900),
    Scope.ACCOUNT: Limit(8, 3600),
    Scope.KNOWN_DEVICE: Limit(2, 900),
}
ELSEWHERE = Client("198.51.100.9", "another browser")


@pytest.fixture
def rows() -> Rows:
    return Rows(accounts={"a1": alice(), "b1": alice(id="b1", username="bob")})


def limited(rows: Rows, **changed: object) -> Stores:
    return replace(stores(rows), throttles=FEW, **changed)  # type: ignore[arg-type]


def attempt(
    own: Stores, username: str = "alice", password: str = "wrong", *, client: Client = CLIENT, now: int = NOW
) -> Granted | Refused:
    return with_password(username=username, password=password, client=client, stores=own, now=now)


def reasons(*outcomes: Granted | Refused) -> list[str]:
    return [outcome.reason.value if isinstance(outcome, Refused) else "granted" for outcome in outcomes]


@pytest.mark.parametrize("name", ["alice", "nobody", "no\x00body"])
def test_after_so_many_failures_nothing_is_checked(rows: Rows, name: str) -> None:
    """Not even the right password; names that nobody has are refused in the same way, until the same time."""
    own = limited(rows)

    outcomes = [attempt(own, name) for _ in range(3)]
    refused = attempt(own, name, PASSWORD, now=NOW + 10)

    assert Reason.THROTTLED.value not in reasons(*outcomes)
    assert isinstance(refused, Refused)
    assert refused.throttled == Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW + 900)


def test_a_refusal_counts_nowhere(rows: Rows) -> None:
    """Who knocks all the time while shut out is in again as soon as who waited."""
    own = limited(rows)
    for _ in range(3):
        attempt(own)
    for second in range(0, 900, 100):
        attempt(own, now=NOW + second)

    assert reasons(attempt(own, password=PASSWORD, now=NOW + 900)) == ["granted"]
    assert rows.attempts != {}


def test_a_right_password_is_given_back(rows: Rows) -> None:
    """Signing in as often as one likes uses nothing up."""
    own = limited(rows)

    outcomes = [attempt(own, password=PASSWORD) for _ in range(9)]

    assert set(reasons(*outcomes)) == {"granted"}
    assert rows.attempts == {}


def test_a_network_guesses_only_so_often_whatever_the_names(rows: Rows) -> None:
    """A list of names does not help; another network is not concerned."""
    own = limited(rows)
    outcomes = [attempt(own, f"name{number}") for number in range(7)]

    assert reasons(*outcomes) == ["unknown"] * 6 + ["throttled"]
    assert reasons(attempt(own, password=PASSWORD, client=ELSEWHERE)) == ["granted"]


def test_an_account_is_guessed_only_so_often_wherever_from(rows: Rows) -> None:
    """A botnet of fresh networks meets the account's own limit; other accounts are not concerned."""
    own = limited(rows)
    outcomes = [attempt(own, client=Client(f"192.0.2.{number}", "a bot")) for number in range(9)]

    assert reasons(*outcomes) == ["wrong_password"] * 8 + ["throttled"]
    assert reasons(attempt(own, "bob", PASSWORD, client=ELSEWHERE)) == ["granted"]


def test_a_known_device_is_let_in_while_its_account_is_attacked(rows: Rows) -> None:
    """The owner's browser has an allowance of its own, which the attack cannot use up."""
    own = limited(rows)
    known = replace(CLIENT, device_cookie=device_cookies.issue(rows.accounts["a1"], "", keys=KEYS[1:], now=NOW))
    for number in range(9):
        attempt(own, client=Client(f"192.0.2.{number}", "a bot"))

    from_there = attempt(own, password=PASSWORD, client=known)
    mistyped = [attempt(own, client=known) for _ in range(3)]

    assert isinstance(from_there, Granted)
    assert reasons(*mistyped) == ["wrong_password", "wrong_password", "throttled"]


def test_a_shed_attempt_is_given_back(rows: Rows) -> None:
    """Who lost the place in the line has not guessed."""

    class Lost(Gate):
        def work(self, job: Job, work: object) -> Result | Shed:  # noqa: ARG002
            return Shed.BUSY

    assert reasons(attempt(limited(rows, gate=Lost()))) == ["busy"]
    assert rows.attempts == {}


def test_a_malfunction_keeps_the_attempt(rows: Rows) -> None:
    """What was hashed may have been a guess: fail closed."""

    class Broken(Gate):
        def work(self, job: Job, work: object) -> Result | Shed:  # noqa: ARG002
            raise MemoryError

    with pytest.raises(MemoryError):
        attempt(limited(rows, gate=Broken()))

    assert len(rows.attempts) == 1


def test_the_trail_keeps_failures_of_accounts_and_limits_that_are_used_up(rows: Rows) -> None:
    """Not every name that somebody tries: a flood of those fills no table."""
    own = limited(rows)
    for _ in range(3):
        attempt(own)
    for number in range(4):
        attempt(own, f"name{number}")

    kept = [(entry.event, entry.account, entry.outcome, entry.detail) for entry in rows.trail]
    failed = (Happened.SIGN_IN_REFUSED, "alice", "wrong_password", "")
    assert kept == [
        failed,
        failed,
        failed,
        (Happened.LIMIT_EXHAUSTED, "alice", "throttled", "account_from_network"),
        (Happened.LIMIT_EXHAUSTED, "", "throttled", "network"),
    ]


def test_a_name_that_nobody_has_leaves_no_entry_of_its_own(rows: Rows) -> None:
    """However often it is tried: only networks that used their limit up are written down."""
    own = limited(rows)
    for _ in range(4):
        attempt(own, "nobody")

    assert rows.trail == []


def test_a_stolen_session_guesses_no_more_than_a_device(rows: Rows) -> None:
    """The current password is asked for under a limit of the session's own, which others cannot use up."""
    own, kept = limited(rows), session_of(alice())
    rows.sessions[kept.token_hash] = kept
    for _ in range(9):
        attempt(own)

    outcomes = [
        change(alice(), current=current, typed=AGREED, browser=Browser(kept, ELSEWHERE), stores=own, now=NOW)
        for current in ("wrong", "wrong", PASSWORD)
    ]

    assert outcomes[:2] == [Problem.WRONG_CURRENT, Problem.WRONG_CURRENT]
    assert isinstance(outcomes[2], Throttled)
    refused, reached = Happened.PASSWORD_CHANGE_REFUSED, Happened.LIMIT_EXHAUSTED
    assert [entry.event for entry in rows.trail if entry.by == "session"] == [refused, refused, reached]
