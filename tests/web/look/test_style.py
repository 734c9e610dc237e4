"""The style sheet: contrast in both schemes, no foreign address, and the weight of a first visit."""

import re
from collections.abc import Iterator

import pytest

from service.web.look.theme import DARK_GROUND, DEFAULT_ACCENT, LIGHT_GROUND, contrast, theme_css
from tests.web.rendered import LOOK, state

STYLE = (LOOK / "static" / "style.css").read_text()
FIRST_VISIT_BYTES = 13_000


def properties(sheet: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the custom properties of a sheet, in light and in dark."""
    light, dark = re.split(r"@media \(prefers-color-scheme: ?dark\)", sheet, maxsplit=1)
    read = re.compile(r"(--[a-z-]+):\s*([^;}]+)")
    first = dict(read.findall(light))
    return first, first | dict(read.findall(dark[: dark.index("}")]))


LIGHT, DARK = properties(STYLE)
BOTH = pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])


@BOTH
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        *((ink, ground) for ink in ("--text", "--quiet", "--accent-ink") for ground in ("--page", "--card", "--tint")),
        ("--problem", "--problem-tint"),
        ("--problem", "--card"),
        *(("--on-accent", ground) for ground in ("--accent", "--accent-hover")),
    ],
)
def test_text_is_readable(scheme: dict[str, str], ink: str, ground: str) -> None:
    """Text reaches 4.5:1 on every ground that it stands on (WCAG 2.2, 1.4.3)."""
    assert contrast(scheme[ink], scheme[ground]) >= 4.5


@BOTH
def test_the_edge_of_a_field_is_seen(scheme: dict[str, str]) -> None:
    """What is only a line reaches 3:1 (WCAG 2.2, 1.4.11)."""
    assert contrast(scheme["--edge"], scheme["--card"]) >= 3


def test_the_default_accent_is_what_the_theme_would_say() -> None:
    """With or without theme.css the default looks the same, and both know the same grounds."""
    light, dark = properties(theme_css(DEFAULT_ACCENT))

    assert {name: LIGHT[name] for name in light} == light
    assert {name: DARK[name] for name in dark} == dark
    assert (LIGHT["--page"], DARK["--tint"]) == (LIGHT_GROUND, DARK_GROUND)


def test_the_browser_is_told_the_pages_colour() -> None:
    """What a phone paints around the page is the page's own ground."""
    told = [m.attributes["content"] for m in state("sign in").all("meta") if m.attributes.get("name") == "theme-color"]

    assert told == [LIGHT["--page"], DARK["--page"]]


def test_the_sheet_fetches_nothing() -> None:
    """No picture, font or sheet is loaded from the style sheet."""
    assert re.findall(r"url\(|@import|@font-face|image-set", STYLE) == []


def test_motion_is_only_for_those_who_want_it() -> None:
    """Nothing moves outside of prefers-reduced-motion: no-preference."""
    still, _, _ = STYLE.partition("@media (prefers-reduced-motion: no-preference)")

    assert re.findall(r"transition|animation", still) == []


@pytest.mark.parametrize("name", ["sign in", "sign in, refused", "set up"])
def test_a_first_visit_is_light(name: str) -> None:
    """Page, both sheets and the icon together stay under 13 kB, uncompressed."""
    assert sum(first_visit(name)) < FIRST_VISIT_BYTES


def first_visit(name: str) -> Iterator[int]:
    yield len(state(name).source.encode())
    yield len(STYLE.encode())
    yield len(theme_css(DEFAULT_ACCENT).encode())
    yield (LOOK / "static" / "favicon.svg").stat().st_size
