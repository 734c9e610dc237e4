"""Which passwords are accepted, and how they are compared."""

import sys
import unicodedata
from collections.abc import Callable

import pytest
from zxcvbn import zxcvbn

from service.login.password_policy import ENOUGH_GUESSES_LOG10, Weakness, weakness
from tests.rig.passwords import PASSWORD


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


def test_a_long_spelling_is_not_too_long() -> None:
    """Each of 128 characters may be typed as four code points; one more is too long before it is normalised."""
    typed = unicodedata.normalize("NFD", "\u1f82" * 128)

    assert weakness(typed) is not Weakness.TOO_LONG
    assert weakness(typed + "x") is Weakness.TOO_LONG
