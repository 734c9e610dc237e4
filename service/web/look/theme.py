"""The accent colour: four CSS properties for each colour scheme, readable (WCAG 2.2, 1.4.3) for any chosen colour.

--accent (buttons), --accent-hover, --on-accent (text on both) and --accent-ink (mark, links, focus rings). style.css
has them for the default accent; this sheet comes after style.css and overrides them.
"""

import colorsys
import re
from collections.abc import Iterable
from typing import Final

DEFAULT_ACCENT: Final = "#0f5f6b"
READABLE: Final = 4.5
BRIGHT: Final = 7.0  # on dark, a colour at 4.5:1 looks dull
# Of the backgrounds of each scheme in style.css, the one with the least contrast to --accent-ink.
LIGHT_GROUND: Final = "#e7eceb"
DARK_GROUND: Final = "#232d30"
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}", re.ASCII | re.IGNORECASE)
_STEPS: Final = 128
_MAXIMUM_SATURATION: Final = 0.45  # of a lightened colour; beyond, it looks like neon
_HOVER: Final = 0.14
_LINEAR_BELOW: Final = 0.04045


def theme_css(accent: str) -> str:
    """Return the style sheet for an accent `#rrggbb`. Raises ValueError for anything else.

    Buttons have the chosen colour in the light scheme, and a lightened one in the dark scheme.
    """
    if not _COLOUR.fullmatch(accent):
        raise ValueError("an accent colour is a # and six hexadecimal digits")
    accent = accent.lower()
    on_light = _first_readable(_darker(accent), ground=LIGHT_GROUND, ratio=READABLE)
    on_dark = _first_readable(_lighter(accent), ground=DARK_GROUND, ratio=BRIGHT)
    light, dark = _properties(accent, ink=on_light), _properties(on_dark, ink=on_dark)
    return f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two `#rrggbb` colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _properties(accent: str, *, ink: str) -> str:
    on_accent = "#ffffff" if contrast(accent, "#ffffff") >= READABLE else "#000000"
    # Away from the text: the contrast only grows.
    hover = _mix(accent, "#000000" if on_accent == "#ffffff" else "#ffffff", _HOVER)
    return f"--accent:{accent};--accent-hover:{hover};--accent-ink:{ink};--on-accent:{on_accent}"


def _first_readable(colours: Iterable[str], *, ground: str, ratio: float) -> str:
    """Return the first colour that has this contrast to the ground; black or white, at the end, always has."""
    return next(colour for colour in colours if contrast(colour, ground) >= ratio)


def _darker(colour: str) -> Iterable[str]:
    return (_mix(colour, "#000000", step / _STEPS) for step in range(_STEPS + 1))


def _lighter(colour: str) -> Iterable[str]:
    """Yield the colour, then lighter ones of the same hue, up to white."""
    yield colour
    hue, lightness, saturation = colorsys.rgb_to_hls(*(channel / 255 for channel in _channels(colour)))
    for step in range(1, _STEPS + 1):
        lifted = lightness + (1 - lightness) * step / _STEPS
        yield _hex(channel * 255 for channel in colorsys.hls_to_rgb(hue, lifted, min(saturation, _MAXIMUM_SATURATION)))


def _mix(one: str, other: str, share: float) -> str:
    """Return `one` with a share (0 to 1) of `other` in it."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return _hex(a + (b - a) * share for a, b in pairs)


def _hex(channels: Iterable[float]) -> str:
    return "#" + "".join(f"{round(channel):02x}" for channel in channels)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def _luminance(colour: str) -> float:
    """Return the relative luminance of an sRGB colour (WCAG 2.2, "relative luminance")."""
    shares = (channel / 255 for channel in _channels(colour))
    red, green, blue = (s / 12.92 if s <= _LINEAR_BELOW else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
