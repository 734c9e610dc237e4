"""Limits wherever a password is verified, over stores in memory."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import pytest

from service.hashing.fair_queue import Job
from service.hashing.gate import Result, Shed
from service.login import device_cookies
from service.login.accounts import Account
from service.login.attempts import Limit, Scope, Throttled
from service.login.audit import Happened
from service.login.new_password import Browser, Problem, change
from service.login.sessions import SignedIn
from service.login.sign_in import Client, Reason, Refused, with_password
from service.login.verify_password import Verifier
from tests.login.changing import AGREED
from tests.rig.gates import Gate
from tests.rig.memory_store import Rows
from tests.rig.passwords import PASSWORD
from tests.rig.people import CLIENT, KEYS, NOW, alice, session_of, stores, verifier

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


@dataclass
class Limited:
    """Sign-ins under few attempts."""

    rows: Rows
    gate: Gate = field(default_factory=Gate)

    def attempt(
        self, username: str = "alice", password: str = "wrong", *, client: Client = CLIENT, now: int = NOW
    ) -> Account | Refused:
        return with_password(
            username=username,
            password=password,
            client=client,
            stores=stores(self.rows),
            verifier=self.verifier,
            now=now,
        ).outcome

    @cached_property
    def verifier(self) -> Verifier:
        return verifier(self.rows, gate=self.gate, throttles=FEW)


def reasons(*outcomes: Account | Refused) -> list[str]:
    return [outcome.reason.value if isinstance(outcome, Refused) else "granted" for outcome in outcomes]


@pytest.mark.parametrize("name", ["alice", "nobody", "no\x00body"])
def test_after_so_many_failures_nothing_is_checked(rows: Rows, name: str) -> None:
    """Not even the right password; usernames without an account are refused in the same way, until the same time."""
    own = Limited(rows)

    outcomes = [own.attempt(name) for _ in range(3)]
    refused = own.attempt(name, PASSWORD, now=NOW + 10)

    assert Reason.THROTTLED.value not in reasons(*outcomes)
    assert isinstance(refused, Refused)
    assert refused.throttled == Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW + 900)


def test_a_refusal_counts_nowhere(rows: Rows) -> None:
    """A client that goes on trying while it is throttled can sign in as soon as one that waited."""
    own = Limited(rows)
    for _ in range(3):
        own.attempt()
    for second in range(0, 900, 100):
        own.attempt(now=NOW + second)

    assert reasons(own.attempt(password=PASSWORD, now=NOW + 900)) == ["granted"]
    assert rows.attempts != {}


def test_a_right_password_is_released(rows: Rows) -> None:
    """Any number of right passwords leaves every limit as it was."""
    own = Limited(rows)

    outcomes = [own.attempt(password=PASSWORD) for _ in range(9)]

    assert set(reasons(*outcomes)) == {"granted"}
    assert rows.attempts == {}


def test_a_network_guesses_only_so_often_whatever_the_usernames(rows: Rows) -> None:
    """A list of usernames does not help; another network is not concerned."""
    own = Limited(rows)
    outcomes = [own.attempt(f"name{number}") for number in range(7)]

    assert reasons(*outcomes) == ["unknown"] * 6 + ["throttled"]
    assert reasons(own.attempt(password=PASSWORD, client=ELSEWHERE)) == ["granted"]


def test_an_account_is_guessed_only_so_often_wherever_from(rows: Rows) -> None:
    """A botnet of fresh networks meets the account's own limit; other accounts are not concerned."""
    own = Limited(rows)
    outcomes = [own.attempt(client=Client(f"192.0.2.{number}", "a bot")) for number in range(9)]

    assert reasons(*outcomes) == ["wrong_password"] * 8 + ["throttled"]
    assert reasons(own.attempt("bob", PASSWORD, client=ELSEWHERE)) == ["granted"]


def test_a_known_device_is_let_in_while_its_account_is_attacked(rows: Rows) -> None:
    """The owner's browser has a limit of its own, which the attack cannot exhaust."""
    own = Limited(rows)
    known = replace(CLIENT, device_cookie=device_cookies.issue(rows.accounts["a1"], "", keys=KEYS[1:], now=NOW))
    for number in range(9):
        own.attempt(client=Client(f"192.0.2.{number}", "a bot"))

    from_there = own.attempt(password=PASSWORD, client=known)
    mistyped = [own.attempt(client=known) for _ in range(3)]

    assert isinstance(from_there, Account)
    assert reasons(*mistyped) == ["wrong_password", "wrong_password", "throttled"]


def test_a_shed_attempt_is_released(rows: Rows) -> None:
    """An evicted job has not guessed."""

    class Lost(Gate):
        def work(self, job: Job, work: object) -> Result | Shed:  # noqa: ARG002
            return Shed.BUSY

    assert reasons(Limited(rows, Lost()).attempt()) == ["busy"]
    assert rows.attempts == {}


def test_a_malfunction_keeps_the_attempt(rows: Rows) -> None:
    """The password may have been compared: fail closed."""

    class Broken(Gate):
        def work(self, job: Job, work: object) -> Result | Shed:  # noqa: ARG002
            raise MemoryError

    with pytest.raises(MemoryError):
        Limited(rows, Broken()).attempt()

    assert len(rows.attempts) == 1


def test_the_trail_keeps_failures_of_accounts_and_exhausted_limits(rows: Rows) -> None:
    """Usernames without an account leave no entries: a flood of them fills no table."""
    own = Limited(rows)
    for _ in range(3):
        own.attempt()
    for number in range(4):
        own.attempt(f"name{number}")

    kept = [(entry.event, entry.account, entry.outcome, entry.detail) for entry in rows.trail]
    failed = (Happened.SIGN_IN_REFUSED, "alice", "wrong_password", "")
    assert kept == [
        failed,
        failed,
        failed,
        (Happened.LIMIT_EXHAUSTED, "alice", "throttled", "account_from_network"),
        (Happened.LIMIT_EXHAUSTED, "", "throttled", "network"),
    ]


def test_a_username_without_an_account_leaves_no_entry_of_its_own(rows: Rows) -> None:
    """However often it is tried: only the exhausted limit of its network is recorded."""
    own = Limited(rows)
    for _ in range(4):
        own.attempt("nobody")

    assert rows.trail == []


def test_a_stolen_session_guesses_no_more_than_a_device(rows: Rows) -> None:
    """The current password is verified under a limit of the session's own, which others cannot exhaust."""
    own, kept = Limited(rows), session_of(alice())
    rows.sessions[kept.token_hash] = kept
    for _ in range(9):
        own.attempt()

    outcomes = [
        change(
            Browser(SignedIn(kept, alice()), ELSEWHERE),
            current=current,
            typed=AGREED,
            stores=stores(rows),
            verifier=own.verifier,
            now=NOW,
        )
        for current in ("wrong", "wrong", PASSWORD)
    ]

    assert outcomes[:2] == [Problem.WRONG_CURRENT, Problem.WRONG_CURRENT]
    assert isinstance(outcomes[2], Throttled)
    refused, reached = Happened.PASSWORD_CHANGE_REFUSED, Happened.LIMIT_EXHAUSTED
    assert [entry.event for entry in rows.trail if entry.by == "session"] == [refused, refused, reached]
