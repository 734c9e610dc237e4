"""How long sessions live, and which tokens can be ours."""

from dataclasses import replace

import pytest

from service.login.sessions import (
    Session,
    SignedIn,
    hash_of,
    hash_of_claimed,
    is_live,
    may_be_used,
    new_token,
    seen_is_due,
)
from tests.rig.people import LIFETIMES, NOW, alice

PLAIN = Session("id", b"h", "a1", NOW, NOW, remembered=False, address="192.0.2.7", user_agent="")


def test_tokens_carry_256_bits_in_43_characters() -> None:
    """A thousand tokens are all different, 43 characters long, and hash to what is looked up."""
    tokens = {new_token() for _ in range(1000)}

    assert len(tokens) == 1000
    assert {len(t) for t in tokens} == {43}
    assert all(hash_of_claimed(t) == hash_of(t) for t in tokens)


@pytest.mark.parametrize("shape", ["{0:.42}", "{0}=", "{0}A", " {0}", "{0:.42}é", "{0:.42}+", ""])
def test_only_the_exact_shape_can_be_a_token(shape: str) -> None:
    """A truncated, padded or odd token is never looked up."""
    assert hash_of_claimed(shape.format(new_token())) is None


def test_sessions_end_when_idle() -> None:
    """A session is live until its idle time has passed, and not at that second."""
    assert [is_live(PLAIN, LIFETIMES, now=NOW + t) for t in (0, 99, 100)] == [True, True, False]


def test_sessions_end_absolutely() -> None:
    """However much it is used, a session ends when it is as old as it may be."""
    used = replace(PLAIN, seen_at=NOW + 999)

    assert [is_live(used, LIFETIMES, now=NOW + t) for t in (999, 1000)] == [True, False]


def test_remembered_sessions_live_longer() -> None:
    """Stay signed in has its own idle and absolute times."""
    remembered = replace(PLAIN, remembered=True)

    assert [is_live(remembered, LIFETIMES, now=NOW + t) for t in (4999, 5000)] == [True, False]


def test_a_session_of_a_clock_that_was_wrong_is_over() -> None:
    """Made, or last used, more than a minute after now: no lifetime that is counted from there would end in time."""
    used = replace(PLAIN, created_at=NOW - 500)

    assert [is_live(replace(PLAIN, created_at=at, seen_at=at), LIFETIMES, now=NOW) for at in (NOW + 60, NOW + 61)] == [
        True,
        False,
    ]
    assert [is_live(replace(used, seen_at=at), LIFETIMES, now=NOW) for at in (NOW + 60, NOW + 61)] == [True, False]


def test_a_disabled_account_has_no_usable_session() -> None:
    """A live session of a disabled account may not be used."""
    enabled, disabled = alice(), alice(disabled_at=NOW)

    assert may_be_used(SignedIn(PLAIN, enabled), LIFETIMES, now=NOW)
    assert not may_be_used(SignedIn(PLAIN, disabled), LIFETIMES, now=NOW)
    assert not may_be_used(SignedIn(PLAIN, enabled), LIFETIMES, now=NOW + 100)


def test_last_use_is_written_once_a_minute() -> None:
    """Within the minute a read stays a read."""
    assert [seen_is_due(PLAIN, now=NOW + t) for t in (0, 59, 60)] == [False, False, True]
