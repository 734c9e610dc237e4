"""Changing a password, and choosing one through a one-time link."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from service.hashing.fair_queue import Job
from service.hashing.gate import Result, Shed
from service.login.links import Purpose
from service.login.new_password import Browser, Problem, Typed, change
from service.login.password_policy import Weakness
from service.login.sessions import SignedIn
from service.login.sign_in import Opened
from tests.login.changing import AGREED, Meanwhile, link, opens
from tests.rig.gates import Gate
from tests.rig.memory_store import Rows
from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.people import CLIENT, NOW, PASSWORDS, alice, session_of, stores, verifier


@pytest.fixture
def rows() -> Rows:
    return Rows(accounts={"a1": alice()})


HERE = session_of(alice(), remembered=True)


def changed(rows: Rows, *, current: str = PASSWORD, typed: Typed = AGREED, gate: Gate | None = None) -> object:
    rows.sessions[HERE.token_hash] = HERE
    return change(
        Browser(SignedIn(HERE, alice(password_hash=rows.accounts["a1"].password_hash)), CLIENT),
        current=current,
        typed=typed,
        stores=stores(rows),
        verifier=verifier(rows, gate=gate or Gate()),
        now=NOW,
    )


def test_a_changed_password_ends_every_session_and_opens_a_new_one(rows: Rows) -> None:
    """Every other browser is signed out; the one that changed the password gets a new token."""
    for _ in range(2):
        other = session_of(rows.accounts["a1"])
        rows.sessions[other.token_hash] = other

    outcome = changed(rows)

    assert isinstance(outcome, Opened)
    assert list(rows.sessions) == [outcome.session.token_hash]
    assert outcome.session.remembered
    assert opens(rows, OTHER_PASSWORD)


@pytest.mark.parametrize(
    ("current", "typed", "expected"),
    [
        ("wrong", AGREED, Problem.WRONG_CURRENT),
        (PASSWORD, Typed(OTHER_PASSWORD, "other"), Problem.UNLIKE),
        (PASSWORD, Typed("short", "short"), Weakness.TOO_SHORT),
    ],
)
def test_a_refused_change_changes_nothing(rows: Rows, current: str, typed: Typed, expected: object) -> None:
    """The current password is needed, both fields agree, and the policy holds."""
    assert changed(rows, current=current, typed=typed) is expected
    assert opens(rows, PASSWORD)


@pytest.mark.parametrize("then", [None, {"disabled_at": NOW}, {"password_hash": "another"}])
def test_a_change_that_lost_a_race_changes_nothing(rows: Rows, then: dict[str, object] | None) -> None:
    """An account deleted, disabled or changed meanwhile keeps what it became."""
    outcome = changed(rows, gate=Meanwhile(rows, then))

    assert outcome is Problem.WRONG_CURRENT
    assert list(rows.sessions) == [HERE.token_hash]


def test_a_browser_that_signed_out_meanwhile_stays_signed_out(rows: Rows) -> None:
    """A change that was under way when its session ended does not open another, and changes nothing."""

    class Leaving(Gate):
        def work(self, job: Job, work: Callable[[], Result]) -> Result | Shed:
            rows.sessions.clear()
            return super().work(job, work)

    outcome = changed(rows, gate=Leaving(threads=1, waiting=1))

    assert outcome is Problem.SIGNED_OUT
    assert rows.sessions == {}
    assert opens(rows, PASSWORD)


def test_a_change_ends_a_reset_link(rows: Rows) -> None:
    """A reset link does not outlive the password that it was made for."""
    link(rows, Purpose.RESET)

    changed(rows)

    assert rows.links == {}


def test_the_second_of_two_clicks_is_answered_like_the_first(rows: Rows) -> None:
    """A change that finds its own new password stored opens a session: the browser dropped the first answer."""
    outcome = changed(rows, gate=Meanwhile(rows, {"password_hash": PASSWORDS.hash(OTHER_PASSWORD)}))

    assert isinstance(outcome, Opened)
    assert outcome.session.token_hash in rows.sessions
    assert opens(rows, OTHER_PASSWORD)


def test_the_second_click_finds_a_full_gate_or_a_disabled_account(rows: Rows) -> None:
    """The second click is busy like any other request, and gets no session of a disabled account."""
    then: dict[str, object] = {"password_hash": PASSWORDS.hash(OTHER_PASSWORD)}

    class ThenFull(Meanwhile):
        served = 2

        def work(self, job: Job, work: Callable[[], Result]) -> Result | Shed:
            self.served -= 1
            return super().work(job, work) if self.served >= 0 else Shed.BUSY

    class ThenDisabled(Meanwhile):
        served = 3

        def work(self, job: Job, work: Callable[[], Result]) -> Result | Shed:
            done = super().work(job, work)
            self.served -= 1
            if not self.served:
                rows.accounts = {"a1": replace(rows.accounts["a1"], disabled_at=NOW)}
            return done

    full = changed(rows, gate=ThenFull(rows, then))
    rows.accounts = {"a1": alice()}
    closed = changed(rows, gate=ThenDisabled(rows, then))

    assert (full, closed) == (Problem.BUSY, Problem.WRONG_CURRENT)


class Full(Gate):
    """Serves so many, then is full."""

    def __init__(self, served: int) -> None:
        super().__init__(threads=1, waiting=1)
        self.served = served

    def work(self, job: Job, work: Callable[[], Result]) -> Result | Shed:
        self.served -= 1
        return super().work(job, work) if self.served >= 0 else Shed.BUSY


@pytest.mark.parametrize("served", [0, 1])
def test_a_full_gate_changes_nothing(rows: Rows, served: int) -> None:
    """Without a place for the check or for the hash the answer is busy."""
    assert changed(rows, gate=Full(served)) is Problem.BUSY
