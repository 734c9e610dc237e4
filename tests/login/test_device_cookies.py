"""Device cookies: a signature that is valid for one account, one password and half a year."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.login.device_cookies import ACCOUNTS, LIFETIME, issue, verify
from tests.rig.people import NOW, alice

KEY, OLDER = b"the key that signs", b"an older key"
ALICE = alice(password_changed_at=NOW - 500)
COOKIE = issue(ALICE, "", keys=(KEY,), now=NOW)
DEVICE = COOKIE.partition(".")[0]


def test_a_device_cookie_is_verified() -> None:
    """By its id, for as long as it may be known."""
    assert verify(COOKIE, ALICE, keys=(KEY, OLDER), now=NOW) == DEVICE
    assert verify(COOKIE, ALICE, keys=(KEY,), now=NOW + LIFETIME - 1) == DEVICE


def test_an_older_key_still_verifies() -> None:
    """The first key signs, all of them verify: rotating keys makes no device unknown."""
    signed_before = issue(ALICE, "", keys=(OLDER,), now=NOW)

    assert verify(signed_before, ALICE, keys=(KEY, OLDER), now=NOW) == signed_before.partition(".")[0]
    assert verify(signed_before, ALICE, keys=(KEY,), now=NOW) is None


@pytest.mark.parametrize(
    "account",
    [replace(ALICE, id="another"), replace(ALICE, password_changed_at=NOW), replace(ALICE, password_changed_at=None)],
    ids=["another account", "a new password", "no password of its own"],
)
def test_it_is_known_to_one_account_with_one_password(account: object) -> None:
    """A cookie of another account, or from before the password was changed, is not valid."""
    assert verify(COOKIE, account, keys=(KEY,), now=NOW) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(("after", "known"), [(0, True), (NOW - 1, True), (NOW, False), (NOW + 1, False)])
def test_it_is_valid_when_issued_after_the_accounts_last_offboarding(after: int, *, known: bool) -> None:
    """A cookie that was issued before, or in the same second, makes its device unknown; a later one is valid."""
    offboarded = replace(ALICE, device_cookies_after=after)

    assert (verify(COOKIE, offboarded, keys=(KEY,), now=NOW + 10) == DEVICE) is known


def test_a_browser_keeps_its_id() -> None:
    """Signing in again starts no new count of attempts, and makes the device known for longer."""
    again = issue(ALICE, COOKIE, keys=(KEY,), now=NOW + 60)

    assert verify(again, ALICE, keys=(KEY,), now=NOW + LIFETIME + 59) == DEVICE
    assert "~" not in again


def test_a_browser_is_known_to_a_few_accounts() -> None:
    """A device of two accounts stays known to both; a fifth account replaces the earliest."""
    people = [replace(ALICE, id=str(number)) for number in range(ACCOUNTS + 1)]
    cookie = ""
    for person in people:
        cookie = issue(person, cookie, keys=(KEY,), now=NOW)

    known = [verify(cookie, person, keys=(KEY,), now=NOW) is not None for person in people]

    assert known == [False] + [True] * ACCOUNTS
    assert len(cookie) < 400


@pytest.mark.parametrize("now", [NOW - 1, NOW + LIFETIME])
def test_it_expires(now: int) -> None:
    """After half a year without a sign-in, and before it was made."""
    assert verify(COOKIE, ALICE, keys=(KEY,), now=now) is None


@given(st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9_-]{16}\.[0-9]{1,12}\.[A-Za-z0-9_-]{43}", fullmatch=True)))
def test_nothing_else_is_recognised(value: str) -> None:
    """Whatever a client sends, only what we signed is known, and nothing fails."""
    assert verify(value, ALICE, keys=(KEY,), now=NOW) is None


@given(st.integers(0, len(COOKIE) - 1), st.characters())
def test_a_changed_character_makes_it_unknown(place: int, character: str) -> None:
    """No part of it may be another: not the id, not the time, not the signature."""
    changed = COOKIE[:place] + character + COOKIE[place + 1 :]

    assert (verify(changed, ALICE, keys=(KEY,), now=NOW) is None) == (changed != COOKIE)
