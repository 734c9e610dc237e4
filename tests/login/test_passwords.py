"""Which passwords are accepted, and how they are compared."""

import sys
import unicodedata
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher
from zxcvbn import zxcvbn

from service.login.passwords import ENOUGH_GUESSES_LOG10, Check, Parameters, Passwords, Weakness, weakness
from service.login.stored_hash import hash_flaw
from tests.rig.passwords import PASSWORD
from tests.rig.people import CHEAP_FOR_TESTS_ONLY, PASSWORDS


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "a b c d f h k m",
        "982451653577013",
        "🦊🐙🌵🚲🎻🧭🪁🍋🦉🧩🛶🎈🪐🧶🐌",
        "x7$Kq!m2Vz9@Lw4",
        "seven otters " * 9,
    ],
)
def test_long_unusual_passwords_are_accepted_whatever_they_are_made_of(password: str) -> None:
    """There are no composition rules (NIST SP 800-63B-4, 3.1.1.2)."""
    assert weakness(password) is None


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("", Weakness.TOO_SHORT),
        ("x" * 14, Weakness.TOO_SHORT),
        ("e\u0301" * 10, Weakness.TOO_SHORT),
        ("q" * 129, Weakness.TOO_LONG),
        ("passwordpassword", Weakness.COMMON),
        ("123456789012345", Weakness.COMMON),
        ("qwertyuiopasdfgh", Weakness.COMMON),
        ("aaaaaaaaaaaaaaaa", Weakness.COMMON),
        ("abcabcabcabcabcabc", Weakness.COMMON),
    ],
)
def test_weak_passwords_are_refused_with_a_reason(password: str, expected: Weakness) -> None:
    """Length is counted in NFC code points; what a guesser tries first is refused."""
    assert weakness(password) is expected


def test_a_long_spelling_of_a_password_is_one() -> None:
    """Each of 128 characters may be typed as four code points; one more is too long before it is normalised."""
    composed = "\u1f82" * 128
    typed = unicodedata.normalize("NFD", composed)

    assert len(typed) == 512
    assert PASSWORDS.check(PASSWORDS.hash(composed), typed).matches
    assert weakness(typed) is not Weakness.TOO_LONG
    assert weakness(typed + "x") is Weakness.TOO_LONG


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "p4$$w0rdp4$$w0rd",
        "1l0v3y0u1l0v3y0u",
        "0123456789!@#$%^&*()",
        "4l1c3-4l1c3-4l1c3",
        "19.03.1991 21.04.1992",
        "seven otters paint",
        "x7$Kq!m2Vz9@Lw4",
        "rosebudrosebudmaelstrom",
    ],
)
def test_verdicts_are_those_of_zxcvbn(password: str) -> None:
    """Bounding the combinations of substituted characters changes nothing for passwords with few of them."""
    own = zxcvbn(password, user_inputs=["alice"])["guesses_log10"] >= ENOUGH_GUESSES_LOG10

    assert (weakness(password, personal=("alice",)) is None) is own


@pytest.mark.parametrize(
    "password",
    ["4b@8({[<369!1|07$5+2%x%xx", "787{9+6($+<13848@7{6[{8{", "@4({[<!|17$5@4({[<!|17$5", "7$94|@1(8@<{747{(23{8763"],
)
def test_substituted_characters_cost_little_more(password: str) -> None:
    """Judging a password of substituted characters takes at most three times the calls that a usual one takes."""
    weakness(PASSWORD)

    assert calls_of(lambda: weakness(password)) <= 3 * calls_of(lambda: weakness(PASSWORD))
    assert weakness(password) is None


def calls_of(work: Callable[[], object]) -> int:
    """Return how many functions are called: what the work costs, on any machine."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def test_words_of_the_context_do_not_make_a_password() -> None:
    """The account's own name, repeated or decorated, is no password for it."""
    assert weakness("wilhelminahopper1", personal=("wilhelminahopper", "")) is Weakness.PERSONAL
    assert weakness("wojciechowska2024", personal=("Ola Wojciechowska",)) is Weakness.PERSONAL


def test_a_password_matches_whole_and_exactly() -> None:
    """Case, blanks and the last character count."""
    kept = PASSWORDS.hash(PASSWORD)

    assert PASSWORDS.check(kept, PASSWORD) == Check(matches=True)
    assert not any(
        PASSWORDS.check(kept, t).matches for t in (PASSWORD.upper(), PASSWORD + " ", PASSWORD[:-1], " " + PASSWORD)
    )


def test_both_unicode_spellings_of_a_password_match() -> None:
    """What one keyboard composes and another does not is one password."""
    composed = "ééééé passt noch"

    kept = PASSWORDS.hash(composed)

    assert PASSWORDS.check(kept, unicodedata.normalize("NFD", composed)).matches


@pytest.mark.parametrize("password", ["", "x" * 129, "x" * 513, "\u0301" * 5000])
def test_impossible_passwords_cost_no_hash(password: str) -> None:
    """Nothing and too much match nothing, known name or not, without argon2."""
    assert not PASSWORDS.check(PASSWORDS.hash(password or "y"), password).matches
    assert not PASSWORDS.check(None, password).matches


def test_nobody_has_the_decoy_password() -> None:
    """The decoy takes the time of a check and lets nobody in."""
    assert PASSWORDS.check(None, "nobody has this password") == Check(matches=False)


@pytest.mark.parametrize("passes", ["x", "0", "1000000", "é"])
def test_a_stored_hash_that_cannot_be_checked_opens_nothing_and_says_why(passes: str) -> None:
    """Unreadable or too costly, it is a wrong password that took the time of the decoy, with the reason for the log."""
    stored = PASSWORDS.hash(PASSWORD).replace("t=1", f"t={passes}")
    assert PASSWORDS.check(stored, PASSWORD) == Check(matches=False, flaw=hash_flaw(stored))
    assert PASSWORDS.check(stored, "nobody has this password") == Check(matches=False, flaw=hash_flaw(stored))
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
    """An operator who chooses more than an imported hash may cost locks nobody out."""
    costly = Passwords(Parameters(memory_kib=128, iterations=1, parallelism=16))

    assert hash_flaw(costly.hash(PASSWORD)) is not None
    assert costly.check(costly.hash(PASSWORD), PASSWORD) == Check(matches=True)


def test_a_hash_of_other_parameters_matches_and_is_outdated() -> None:
    """What was made with yesterday's cost still opens, and is known for it."""
    stronger = Passwords(Parameters(memory_kib=16, iterations=2, parallelism=1))

    assert stronger.check(PASSWORDS.hash(PASSWORD), PASSWORD) == Check(matches=True, outdated=True)
