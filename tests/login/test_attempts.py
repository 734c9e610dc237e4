"""Attempts: which are counted together, when one is throttled, and until when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.login.accounts import canonical_username
from service.login.attempts import Count, Limit, Scope, Throttled, attempt_of, decide, digest_of
from tests.rig.people import NOW, alice

KEY = b"a key"
LIMITS = {
    Scope.ACCOUNT_FROM_NETWORK: Limit(5, 900),
    Scope.NETWORK: Limit(100, 900),
    Scope.ACCOUNT: Limit(50, 3600),
    Scope.KNOWN_DEVICE: Limit(10, 900),
}


def test_below_every_limit_the_attempt_may_go_on() -> None:
    """The result names the limits of which it is the last attempt."""
    counts = {Scope.ACCOUNT_FROM_NETWORK: Count(4, NOW - 100), Scope.NETWORK: Count(4, NOW - 100)}

    assert decide(counts, LIMITS, now=NOW) == (Scope.ACCOUNT_FROM_NETWORK,)
    assert decide({Scope.NETWORK: Count(0)}, LIMITS, now=NOW) == ()


def test_at_a_limit_it_is_refused_until_the_oldest_attempt_is_over() -> None:
    """Of several limits the one that lasts longest says until when."""
    counts = {Scope.ACCOUNT_FROM_NETWORK: Count(5, NOW - 100), Scope.ACCOUNT: Count(50, NOW - 200)}

    assert decide(counts, LIMITS, now=NOW) == Throttled(Scope.ACCOUNT, NOW - 200 + 3600)


def test_what_may_be_given_back_is_waited_for() -> None:
    """A limit that older attempts do not fill alone lets the next one come in a second; of several the longest says."""
    under_way, full = Count(5, NOW - 100, recent=1), Count(50, NOW - 200)

    assert decide({Scope.KNOWN_DEVICE: Count(10, NOW, recent=10)}, LIMITS, now=NOW) == Throttled(
        Scope.KNOWN_DEVICE, NOW + 1
    )
    assert decide({Scope.ACCOUNT_FROM_NETWORK: under_way, Scope.ACCOUNT: full}, LIMITS, now=NOW) == Throttled(
        Scope.ACCOUNT, NOW - 200 + 3600
    )


def test_no_refusal_outlasts_its_window() -> None:
    """Also when the clock was set back after the attempts were written."""
    verdict = decide({Scope.NETWORK: Count(100, NOW + 800)}, LIMITS, now=NOW)

    assert verdict == Throttled(Scope.NETWORK, NOW + 900)


def test_a_limit_that_was_lowered_holds_at_once() -> None:
    """More attempts than are allowed now are too many."""
    assert isinstance(decide({Scope.ACCOUNT: Count(400, NOW - 1)}, LIMITS, now=NOW), Throttled)


@pytest.mark.parametrize("spelling", ["alice", " ALICE ", "Alice\n", "ａｌｉｃｅ"])
def test_all_spellings_of_a_name_are_counted_together(spelling: str) -> None:
    """Other case or width gives no more guesses (UN-01, UN-03)."""
    assert digest_of(spelling, KEY) == digest_of("alice", KEY)


@given(st.text())
def test_any_text_has_a_digest_that_says_nothing_of_it(text: str) -> None:
    """Impossible usernames are counted, too, and a password in the wrong field is not stored."""
    digest = digest_of(text, KEY)

    assert len(digest) == 32
    assert digest != digest_of(text, b"another key")
    assert digest == digest_of(canonical_username(text) or text, KEY)


def test_a_name_is_kept_only_when_an_account_has_it() -> None:
    """The digest is the same; the username that an operator reads is not."""
    known = attempt_of("Alice", alice(), network="192.0.2.7/32", device=None, key=KEY)
    unknown = attempt_of("Alice", None, network="192.0.2.7/32", device=None, key=KEY)

    assert (known.username, unknown.username) == ("alice", None)
    assert known.account == unknown.account


def test_a_known_device_is_counted_by_itself() -> None:
    """An attack from elsewhere cannot exhaust the limit of the owner's browser."""
    device = attempt_of("alice", alice(), network="192.0.2.7/32", device="d", key=KEY)

    assert device.scopes == (Scope.KNOWN_DEVICE,)
    assert Scope.KNOWN_DEVICE not in attempt_of("alice", alice(), network="n", device=None, key=KEY).scopes
