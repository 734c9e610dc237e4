"""One-time links, and choosing a password through one."""

from dataclasses import replace

import pytest

from service.login.links import DAY, HOUR, Link, Purpose, is_usable
from service.login.new_password import Problem, Typed, choose
from service.login.password_policy import Weakness
from tests.login.changing import AGREED, Meanwhile, link, opens
from tests.rig.gates import Gate, full_gate
from tests.rig.memory_store import Rows
from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.people import CLIENT, NOW, PASSWORDS, alice, session_of, stores, verifier


@pytest.fixture
def rows() -> Rows:
    return Rows(accounts={"a1": alice()})


def chosen(
    rows: Rows, used: Link, *, username: str = "", typed: Typed = AGREED, gate: Gate | None = None, now: int = NOW
) -> object:
    return choose(
        used,
        username=username,
        typed=typed,
        client=CLIENT,
        stores=stores(rows),
        verifier=verifier(rows, gate=gate or Gate()),
        now=now,
    )


@pytest.mark.parametrize(
    ("purpose", "seconds"), [(Purpose.SET_UP, HOUR), (Purpose.INVITATION, 3 * DAY), (Purpose.RESET, HOUR)]
)
def test_links_expire(rows: Rows, purpose: Purpose, seconds: int) -> None:
    """Each kind of link works for its own time and not a second longer."""
    used = link(rows, purpose)

    assert [is_usable(used, now=NOW + t) for t in (seconds - 1, seconds)] == [True, False]
    assert chosen(rows, used, username="root", now=NOW + seconds) is Problem.LINK_SPENT


@pytest.mark.parametrize("purpose", Purpose)
def test_a_link_of_a_clock_that_was_wrong_does_not_work(rows: Rows, purpose: Purpose) -> None:
    """Made more than a minute after now it would outlive its time."""
    used = link(rows, purpose)

    assert [is_usable(used, now=NOW - t) for t in (60, 61)] == [True, False]
    assert chosen(rows, used, username="root", now=NOW - 61) is Problem.LINK_SPENT


def test_a_later_link_takes_the_place_of_an_earlier_one(rows: Rows) -> None:
    """Only the last link that was asked for works."""
    first, second = link(rows, Purpose.RESET), link(rows, Purpose.RESET)

    assert chosen(rows, first) is Problem.LINK_SPENT
    assert chosen(rows, second) == rows.accounts["a1"] or opens(rows, OTHER_PASSWORD)


def test_a_link_works_once(rows: Rows) -> None:
    """The second use of a link changes nothing."""
    used = link(rows, Purpose.RESET)
    chosen(rows, used)

    again = chosen(rows, used, typed=Typed(PASSWORD, PASSWORD))

    assert again is Problem.LINK_SPENT
    assert opens(rows, OTHER_PASSWORD)


def test_a_reset_ends_every_session(rows: Rows) -> None:
    """Every browser that signed in with the old password is signed out."""
    old = session_of(rows.accounts["a1"])
    rows.sessions[old.token_hash] = old

    chosen(rows, link(rows, Purpose.RESET))

    assert rows.sessions == {}


def test_the_first_administrator_is_made_by_the_set_up_link() -> None:
    """The chosen name is canonical, administers, and has the password."""
    rows = Rows()

    chosen(rows, link(rows, Purpose.SET_UP, None), username="Root")

    (root,) = rows.accounts.values()
    assert (root.username, root.is_admin) == ("root", True)
    assert PASSWORDS.check(root.password_hash, OTHER_PASSWORD).matches


@pytest.mark.parametrize(("username", "expected"), [("", Problem.USERNAME_INVALID), ("ALICE", Problem.USERNAME_TAKEN)])
def test_the_first_administrator_needs_a_free_name(rows: Rows, username: str, expected: Problem) -> None:
    """A name that cannot be, or is taken, leaves the link usable."""
    used = link(rows, Purpose.SET_UP, None)

    assert chosen(rows, used, username=username) is expected
    assert used.token_hash in rows.links


def test_a_set_up_link_is_worth_nothing_once_there_is_an_administrator(rows: Rows) -> None:
    """A forgotten link cannot make a second administrator."""
    used = link(rows, Purpose.SET_UP, None)
    rows.accounts["a1"] = replace(rows.accounts["a1"], is_admin=True)

    assert chosen(rows, used, username="mallory") is Problem.LINK_SPENT


@pytest.mark.parametrize("then", [None, {"disabled_at": NOW}])
def test_a_link_whose_account_is_disabled_meanwhile_is_spent(rows: Rows, then: dict[str, object] | None) -> None:
    """An account that is disabled or gone when the password is written gets none."""
    used = link(rows, Purpose.RESET)

    assert chosen(rows, used, gate=Meanwhile(rows, then)) is Problem.LINK_SPENT


@pytest.mark.parametrize("state", ["gone", "disabled"])
def test_a_link_without_a_usable_account_is_spent(rows: Rows, state: str) -> None:
    """For an account that is gone or disabled no password is chosen."""
    used = link(rows, Purpose.INVITATION)
    rows.accounts = {} if state == "gone" else {"a1": alice(disabled_at=NOW)}

    assert chosen(rows, used) is Problem.LINK_SPENT


def test_a_weak_choice_leaves_the_link_usable(rows: Rows) -> None:
    """People may try again with a better password."""
    used = link(rows, Purpose.INVITATION)

    assert chosen(rows, used, typed=Typed("short", "short")) is Weakness.TOO_SHORT
    assert used.token_hash in rows.links


def test_a_full_gate_leaves_the_link_as_it_is(rows: Rows) -> None:
    """Nothing was hashed, so nothing was chosen: the link works later."""
    used = link(rows, Purpose.RESET)

    assert chosen(rows, used, gate=full_gate()) is Problem.BUSY
    assert used.token_hash in rows.links
