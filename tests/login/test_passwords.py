"""Passwords are stored and verified."""

import unicodedata

import pytest
from argon2 import PasswordHasher

from service.login.passwords import DECOY, Check, Parameters, Passwords
from service.login.stored_hash import hash_flaw
from tests.rig.passwords import PASSWORD
from tests.rig.people import CHEAP_FOR_TESTS_ONLY, PASSWORDS


def test_a_long_spelling_of_a_password_is_one() -> None:
    """Each of 128 characters may be typed as four code points."""
    composed = "\u1f82" * 128
    typed = unicodedata.normalize("NFD", composed)

    assert len(typed) == 512
    assert PASSWORDS.check(PASSWORDS.hash(composed), typed).matches


def test_a_password_matches_whole_and_exactly() -> None:
    """Case, blanks and the last character count."""
    kept = PASSWORDS.hash(PASSWORD)

    assert PASSWORDS.check(kept, PASSWORD) == Check(matches=True)
    assert not any(
        PASSWORDS.check(kept, t).matches for t in (PASSWORD.upper(), PASSWORD + " ", PASSWORD[:-1], " " + PASSWORD)
    )


def test_both_unicode_spellings_of_a_password_match() -> None:
    """Composed by one keyboard and decomposed by another, a password stays the same."""
    composed = "ééééé passt noch"

    kept = PASSWORDS.hash(composed)

    assert PASSWORDS.check(kept, unicodedata.normalize("NFD", composed)).matches


@pytest.mark.parametrize("password", ["", "x" * 129, "x" * 513, "\u0301" * 5000])
def test_impossible_passwords_cost_no_hash(password: str) -> None:
    """An empty password and a too long one are wrong without argon2, with an account or without."""
    assert not PASSWORDS.check(PASSWORDS.hash(password or "y"), password).matches
    assert not PASSWORDS.check(None, password).matches


def test_the_decoys_password_is_wrong() -> None:
    """The decoy takes the time of a check and matches no password."""
    assert PASSWORDS.check(None, DECOY) == Check(matches=False)


@pytest.mark.parametrize("passes", ["x", "0", "1000000", "é"])
def test_a_stored_hash_that_cannot_be_checked_opens_nothing_and_says_why(passes: str) -> None:
    """Unreadable or too costly, it is a wrong password that took the time of the decoy, with the reason for the log."""
    stored = PASSWORDS.hash(PASSWORD).replace("t=1", f"t={passes}")
    assert PASSWORDS.check(stored, PASSWORD) == Check(matches=False, flaw=hash_flaw(stored))
    assert PASSWORDS.check(stored, DECOY) == Check(matches=False, flaw=hash_flaw(stored))
    assert hash_flaw(stored)


def test_a_stored_hash_that_cannot_be_checked_costs_the_decoy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly one hash is verified, and not the stored one."""
    verified: list[str] = []
    passwords = Passwords(CHEAP_FOR_TESTS_ONLY)
    verify = PasswordHasher.verify

    def noted(hasher: PasswordHasher, stored: str, password: str) -> bool:
        verified.append(stored)
        return bool(verify(hasher, stored, password))

    monkeypatch.setattr(PasswordHasher, "verify", noted)
    passwords.check("$argon2id$v=19$m=8,t=0,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", PASSWORD)
    passwords.check(None, PASSWORD)

    assert len(verified) == 2
    assert verified[0] == verified[1]


def test_what_the_settings_ask_for_can_be_checked_whatever_it_costs() -> None:
    """An operator who chooses more than an imported hash may cost can sign in."""
    costly = Passwords(Parameters(memory_kib=128, iterations=1, parallelism=16))

    assert hash_flaw(costly.hash(PASSWORD)) is not None
    assert costly.check(costly.hash(PASSWORD), PASSWORD) == Check(matches=True)


def test_a_hash_of_other_parameters_matches_and_is_outdated() -> None:
    """A hash of an earlier cost is verified, and comes with one of today's cost."""
    stronger = Passwords(Parameters(memory_kib=16, iterations=2, parallelism=1))

    check = stronger.check(PASSWORDS.hash(PASSWORD), PASSWORD)

    assert check.matches
    assert stronger.check(check.new_hash, PASSWORD) == Check(matches=True)
