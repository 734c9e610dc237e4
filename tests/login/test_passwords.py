"""Which passwords are accepted, and how they are compared."""

import unicodedata

import pytest

from service.login.passwords import Check, Parameters, Passwords, Weakness, is_affordable_hash, weakness
from tests.rig.people import PASSWORD, PASSWORDS


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


@pytest.mark.parametrize("password", ["", "x" * 129])
def test_impossible_passwords_cost_no_hash(password: str) -> None:
    """Nothing and too much match nothing, known name or not, without argon2."""
    assert not PASSWORDS.check(PASSWORDS.hash(password or "y"), password).matches
    assert not PASSWORDS.check(None, password).matches


def test_nobody_has_the_decoy_password() -> None:
    """The decoy takes the time of a check and lets nobody in."""
    assert PASSWORDS.check(None, "nobody has this password") == Check(matches=False)


def test_a_damaged_hash_opens_nothing() -> None:
    """A row that is no hash is a wrong password, not an error."""
    assert PASSWORDS.check("$argon2id$broken", PASSWORD) == Check(matches=False)


def test_a_hash_of_other_parameters_matches_and_is_outdated() -> None:
    """What was made with yesterday's cost still opens, and is known for it."""
    stronger = Passwords(Parameters(memory_kib=16, iterations=2, parallelism=1))

    assert stronger.check(PASSWORDS.hash(PASSWORD), PASSWORD) == Check(matches=True, outdated=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", True),
        ("$2b$12$abcdefghijklmnopqrstuv", False),
        ("", False),
        ("$argon2id$v=19$m=2000000,t=2,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", False),
    ],
)
def test_only_affordable_argon2_hashes_are_taken_over(text: str, *, expected: bool) -> None:
    """An imported row cannot ask for gigabytes at every sign-in."""
    assert is_affordable_hash(text) is expected
