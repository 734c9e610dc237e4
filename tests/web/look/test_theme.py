"""The accent colour: any that an operator chooses gives readable text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.web.look.theme import DARK_GROUND, LIGHT_GROUND, contrast, theme_css

colours = st.integers(min_value=0, max_value=0xFFFFFF).map(lambda number: f"#{number:06x}")


def schemes(accent: str) -> list[dict[str, str]]:
    return [dict(re.findall(r"(--[a-z-]+):(#[0-9a-f]{6})", line)) for line in theme_css(accent).splitlines()]


@given(colours)
def test_every_accent_is_readable(accent: str) -> None:
    """Text on the accent, and the accent's ink on the page, reach 4.5:1 in both schemes, hovered or not."""
    light, dark = schemes(accent)

    for scheme, ground in ((light, LIGHT_GROUND), (dark, DARK_GROUND)):
        assert contrast(scheme["--on-accent"], scheme["--accent"]) >= 4.5
        assert contrast(scheme["--on-accent"], scheme["--accent-hover"]) >= 4.5
        assert contrast(scheme["--accent-ink"], ground) >= 4.5


@given(colours)
def test_buttons_have_the_chosen_colour(accent: str) -> None:
    """In light the accent is used as it was chosen."""
    assert schemes(accent)[0]["--accent"] == accent


def test_a_bright_accent_stays_itself_in_the_dark() -> None:
    """Only what would vanish is lifted."""
    assert schemes("#ffd400")[1]["--accent"] == "#ffd400"
    assert schemes("#0f5f6b")[1]["--accent"] != "#0f5f6b"


def test_capitals_are_the_same_colour() -> None:
    """`#AABBCC` is `#aabbcc`."""
    assert theme_css("#AABBCC") == theme_css("#aabbcc")


@pytest.mark.parametrize(
    "accent", ["", "red", "#abc", "#12345g", "#1234567", "123456", "#123456\n", "#１２３４５６", "red}*{"]
)
def test_anything_else_is_refused(accent: str) -> None:
    """What is no colour never gets into a style sheet."""
    with pytest.raises(ValueError, match="accent"):
        theme_css(accent)


@pytest.mark.parametrize(
    ("one", "other", "ratio"), [("#000000", "#ffffff", 21.0), ("#ffffff", "#ffffff", 1.0), ("#777777", "#ffffff", 4.48)]
)
def test_contrast(one: str, other: str, ratio: float) -> None:
    """Contrast is WCAG's, whichever colour comes first."""
    assert round(contrast(one, other), 2) == ratio
    assert contrast(one, other) == contrast(other, one)
