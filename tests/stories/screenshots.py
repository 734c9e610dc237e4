"""Renew docs/screenshots: `.venv/bin/python -m tests.stories.screenshots`.

Takes them from the real servers, in the fonts that this machine has. With pngquant and optipng they get small.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, sync_playwright

from tests.rig.parts import ROOT
from tests.rig.servers import Servers, running
from tests.stories.people import move_in
from tests.stories.places import EMPTY, INHABITED, POSTS_PER_MINUTE, Way
from tests.stories.visitor import Visitor, chromium

FOLDER: Final = ROOT / "docs" / "screenshots"
DESKTOP: Final = (720, 760)
PHONE: Final = (320, 640)
COLOURS: Final = "96"


@dataclass(frozen=True)
class Shot:
    """One picture: of which state, in which colours, how large."""

    name: str
    way: Way
    scheme: Literal["light", "dark"] = "light"
    size: tuple[int, int] = DESKTOP


IN_A_HOUSE: Final = (
    Shot("sign-in-light", INHABITED["sign in"]),
    Shot("sign-in-dark", INHABITED["sign in"], "dark"),
    Shot("sign-in-small-light", INHABITED["sign in"], size=PHONE),
    Shot("sign-in-small-dark", INHABITED["sign in"], "dark", PHONE),
    Shot("refused", INHABITED["sign in, refused"]),
    Shot("too-often", INHABITED["sign in, throttled"]),
    Shot("account", INHABITED["account"]),
    Shot("password", INHABITED["change password"]),
)
IN_AN_EMPTY_ONE: Final = (Shot("set-up", EMPTY["set-up"]),)


def main() -> None:
    """Take all of them."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright, chromium(playwright) as browser:
        with running() as house:
            move_in(house)
            take(browser, house, IN_A_HOUSE)
        with running(LIMITS__POST_PER_MINUTE=str(POSTS_PER_MINUTE)) as empty:
            take(browser, empty, IN_AN_EMPTY_ONE)
    shrink(sorted(FOLDER.glob("*.png")))


def take(browser: Browser, servers: Servers, shots: tuple[Shot, ...]) -> None:
    """Take these, each in a browser of its own."""
    for shot in shots:
        with browser.new_context(
            base_url=servers.origin,
            color_scheme=shot.scheme,
            viewport={"width": shot.size[0], "height": shot.size[1]},
            device_scale_factor=1 if shot.size == DESKTOP else 2,
            reduced_motion="reduce",
        ) as context:
            visitor = Visitor(context)
            shot.way(visitor, servers)
            visitor.page.screenshot(path=FOLDER / f"{shot.name}.png", full_page=True, caret="hide")


def shrink(pictures: list[Path]) -> None:
    """Make the files small, with whatever there is for it."""
    if shutil.which("pngquant"):
        subprocess.run(
            ["pngquant", "--force", "--skip-if-larger", "--ext=.png", "--speed=1", "--floyd=0.5", COLOURS, *pictures],
            check=False,
        )
    if shutil.which("optipng"):
        subprocess.run(["optipng", "-quiet", "-strip", "all", *pictures], check=True)


if __name__ == "__main__":
    main()
