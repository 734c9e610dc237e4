"""Looking at a page in four ways: narrow and wide, in light and in dark."""

from itertools import product
from typing import Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDTHS: Final = (320, 1280)
SCHEMES: Final = ("light", "dark")
AXE: Final = Axe()


def faults(page: Page) -> list[str]:
    """Return what is wrong with a page in any of the four ways to look at it."""
    return [fault for width, scheme in product(WIDTHS, SCHEMES) for fault in _seen(page, width, scheme)]


def _seen(page: Page, width: int, scheme: str) -> list[str]:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its literals
    found = AXE.run(page)
    said = [f"{width} {scheme}: {found.generate_report()}"] if found.violations_count else []
    wide = page.evaluate("document.documentElement.scrollWidth")
    return said + ([f"{width} {scheme}: {wide} pixels wide"] if wide > width else [])
