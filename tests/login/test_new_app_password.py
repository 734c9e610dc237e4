"""Making and ending app passwords: what is stored, what is refused, and who may."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from service.login import new_app_password as rules
from service.login.administration import Reason as Unknown
from service.login.app_passwords import FORM, AppPassword
from service.login.attempts import Throttled
from service.login.audit import Entry
from service.login.new_app_password import MOST, NewAppPassword, Reason, Wanted
from service.login.new_password import Browser, Problem
from service.login.refusal import Refusal
from service.login.sessions import SignedIn, hash_of
from tests.rig.gates import full_gate
from tests.rig.memory_store import Rows
from tests.rig.passwords import PASSWORD
from tests.rig.people import CLIENT, NOW, alice, session_of, stores, verifier

BY: Final = "operator root"
TAKERS: Final = ("files", "mail", "wiki")
PHONE: Final = Wanted("phone", ("wiki",), None)
SESSION: Final = session_of(alice())
Outcome = NewAppPassword | Refusal


@pytest.fixture
def rows() -> Rows:
    """Alice, signed in once."""
    return Rows(accounts={"a1": alice()}, sessions={SESSION.token_hash: SESSION})


def make(rows: Rows, wanted: Wanted = PHONE, name: str = "alice", *, now: int = NOW) -> Outcome:
    return rules.make(name, wanted, stores(rows), takers=TAKERS, by=BY, now=now)


def make_as_owner(
    rows: Rows, wanted: Wanted = PHONE, *, now: int = NOW, current: str = PASSWORD, **parts: object
) -> Outcome | Problem | Throttled:
    checked = {"stores": stores(rows), "verifier": verifier(rows, **parts)}
    browser = Browser(SignedIn(SESSION, rows.accounts["a1"]), CLIENT)
    return rules.make_as_owner(browser, wanted, current=current, takers=TAKERS, now=now, **checked)  # type: ignore[arg-type]


def made(outcome: object) -> NewAppPassword:
    assert isinstance(outcome, NewAppPassword)
    return outcome


def test_what_is_stored(rows: Rows) -> None:
    """The hash of what is shown once, in the form that the door knows; the name as NFC without outer white space."""
    new = made(make(rows, Wanted(" Ju\u0308rgen's phone ", ("wiki", "files", "wiki"), 900)))

    kept = AppPassword(new.password.id, hash_of(new.text), "a1", "Jürgen's phone", ("files", "wiki"), NOW, NOW + 900)
    assert rows.app_passwords == {kept.token_hash: kept}
    assert re.fullmatch(FORM, new.text)


def test_making_and_ending_are_in_the_trail(rows: Rows) -> None:
    """Who did it, from where, and for which apps; never the app password."""
    phone, laptop = made(make(rows)).password, made(make_as_owner(rows, replace(PHONE, name="laptop"))).password
    rules.end("ALICE", phone.id, stores(rows), by=BY, now=NOW)
    rules.end_as_owner(Browser(SignedIn(SESSION, alice()), CLIENT), laptop.id, stores(rows), now=NOW)
    rules.end_all("alice", stores(rows), by=BY, now=NOW)

    created, ended = "authn_token_created", "authn_token_revoked"
    assert rows.trail == [
        Entry(NOW, created, "alice", "", BY, detail=f"{phone.id} for wiki"),
        Entry(NOW, created, "alice", CLIENT.address, "session", detail=f"{laptop.id} for wiki"),
        Entry(NOW, ended, "alice", "", BY, detail=phone.id),
        Entry(NOW, ended, "alice", CLIENT.address, "session", detail=laptop.id),
        Entry(NOW, ended, "alice", "", BY, detail="app passwords: 0"),
    ]
    assert rows.app_passwords == {}


@pytest.mark.parametrize(
    ("wanted", "refused"),
    [
        (replace(PHONE, name=" "), Refusal(Reason.NAME)),
        (replace(PHONE, name="x" * 65), Refusal(Reason.NAME)),
        (replace(PHONE, name="a\nb"), Refusal(Reason.NAME)),
        (replace(PHONE, apps=()), Refusal(Reason.NO_APP)),
        (replace(PHONE, apps=("wiki", "chat")), Refusal(Reason.NOT_TAKEN, "chat")),
        (replace(PHONE, apps=("x" * 99,)), Refusal(Reason.NOT_TAKEN, "x" * 64)),
    ],
)
def test_what_is_refused(rows: Rows, wanted: Wanted, refused: Refusal) -> None:
    """A name that is no line, no app, or an app that takes none: no password is verified, and nothing is written."""
    assert (make(rows, wanted), make_as_owner(rows, wanted, current="wrong")) == (refused, refused)
    assert (rows.app_passwords, rows.trail, rows.attempts) == ({}, [], {})


def test_names_are_the_accounts_own(rows: Rows) -> None:
    """A second one of the same name is refused; another account may use the name."""
    rows.accounts["b"] = alice(id="b", username="bob")

    outcomes = [make(rows), make(rows), make(rows, name="bob")]

    assert [isinstance(each, NewAppPassword) for each in outcomes] == [True, False, True]
    assert outcomes[1] == Refusal(Reason.NAME_TAKEN, "phone")


def test_an_account_has_at_most_fifty(rows: Rows) -> None:
    """Those that have ended make room, and leave their names."""
    for number in range(MOST):
        make(rows, Wanted(f"phone {number}", ("wiki",), 10 if number == 0 else None))

    full = make(rows)
    later = make(rows, replace(PHONE, name="phone 0"), now=NOW + 10)

    assert full == Refusal(Reason.TOO_MANY)
    assert isinstance(later, NewAppPassword)
    assert len(rows.app_passwords) == MOST


def test_a_disabled_account_gets_none(rows: Rows) -> None:
    """It would begin to work when the account is enabled again."""
    rows.accounts["a1"] = alice(disabled_at=NOW)

    assert make(rows) == Refusal(Reason.DISABLED, "alice")


def test_only_the_account_that_has_it_can_end_it(rows: Rows) -> None:
    """Bob's session ends none of Alice's, and an operator who names the wrong account is told."""
    rows.accounts["b"] = bob = alice(id="b", username="bob")
    phone = made(make(rows)).password

    assert not rules.end_as_owner(Browser(SignedIn(SESSION, bob), CLIENT), phone.id, stores(rows), now=NOW)
    assert rules.end("bob", phone.id, stores(rows), by=BY, now=NOW) == Refusal(Reason.UNKNOWN, phone.id)
    assert rows.app_passwords == {phone.token_hash: phone}


@pytest.mark.parametrize("change", [rules.end_all, lambda *a, **k: rules.end(a[0], "x", *a[1:], **k)])
def test_an_unknown_account_is_refused(rows: Rows, change: Callable[..., object]) -> None:
    """Making and ending alike, with nothing written."""
    refused = Refusal(Unknown.NO_ACCOUNT, "nobody")

    assert change("nobody", stores(rows), by=BY, now=NOW) == refused
    assert make(rows, name="nobody") == refused
    assert rows.trail == []


def test_the_owner_types_the_current_password(rows: Rows) -> None:
    """A wrong one makes none: it counts as an attempt of this session, and is in the trail."""
    assert make_as_owner(rows, current="wrong") is Problem.WRONG_CURRENT

    assert (rows.app_passwords, len(rows.attempts)) == ({}, 1)
    assert [(each.event, each.outcome) for each in rows.trail] == [("authn_token_created_fail", "wrong_password")]


def test_a_full_gate_makes_none(rows: Rows) -> None:
    """Nothing was hashed, so nothing was decided."""
    assert make_as_owner(rows, gate=full_gate()) is Problem.BUSY


def test_a_session_that_has_ended_makes_none(rows: Rows) -> None:
    """The account was disabled, or its password changed, while the typed one was being hashed."""
    rows.sessions.clear()

    assert make_as_owner(rows) is Problem.SIGNED_OUT
    assert rows.app_passwords == {}


def test_a_form_that_is_sent_twice_makes_one(rows: Rows) -> None:
    """The browser showed the second answer alone, so that one's works; a used or older one keeps its name."""
    first, second = (made(make_as_owner(rows, now=NOW + moment)) for moment in (0, 59))
    assert [*rows.app_passwords] == [hash_of(second.text)] != [hash_of(first.text)]

    late = make_as_owner(rows, now=NOW + 119)
    stores(rows).app_passwords.touch(hash_of(second.text), now=NOW + 60)
    used = make_as_owner(rows, now=NOW + 61)

    assert (late, used) == (Refusal(Reason.NAME_TAKEN, "phone"),) * 2
