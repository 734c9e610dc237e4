"""Renew the pictures of the dashboards: `.venv/bin/python -m tests.dashboards.pictures`. It takes a quarter of an hour.

Grafana is not needed: the page (`page.py`) is drawn from the dashboard's own queries, units, colours and places, with
what a real Prometheus scraped from the real servers under traffic.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

from tests.bench.open_loop import Arrivals, run
from tests.dashboards import traffic
from tests.dashboards.answers import Shown
from tests.dashboards.app_traffic import of_apps
from tests.dashboards.page import WIDTH, page
from tests.dashboards.scraping import Scraped, scraped
from tests.rig.parts import ROOT
from tests.stories.screenshots import shrink
from tests.stories.visitor import chromium

FOLDER: Final = ROOT / "docs" / "screenshots"
SECONDS: Final = 240
SCRAPE_SECONDS: Final = 5
Scene = Callable[[Scraped], Iterator[Arrivals]]


@dataclass(frozen=True)
class Shot:
    """A picture: of which dashboard, under which traffic."""

    name: str
    dashboard: str
    scene: Scene


def calm(own: Scraped) -> Iterator[Arrivals]:
    """Yield an ordinary day."""
    yield from traffic.ordinary(own.servers, own.known, SECONDS)
    yield from of_apps(own.apps, own.known, SECONDS)


def attacked(own: Scraped) -> Iterator[Arrivals]:
    """Yield an attack that the limits meet alone, until an operator blocks the network."""
    block = partial(own.servers.vestibule, "block", "add", traffic.ATTACKED, "--for", "2h")
    yield from calm(own)
    yield from traffic.attack(own.servers, since=SECONDS / 6, until=SECONDS)
    yield traffic.Later(SECONDS * 2 / 3, block)


def without_the_service(own: Scraped) -> Iterator[Arrivals]:
    """Yield an ordinary day, with half a minute without the service."""
    yield from calm(own)
    yield traffic.Later(SECONDS * 0.6, partial(own.servers.end, "gunicorn"))
    yield traffic.Later(SECONDS * 0.75, own.servers.start_gunicorn)


def flooded(own: Scraped) -> Iterator[Arrivals]:
    """Yield a flood of forms from one address, and half a minute without the service."""
    yield from without_the_service(own)
    yield from traffic.flood(own.servers, since=SECONDS * 0.2, until=SECONDS * 0.4)


SHOTS: Final = (
    Shot("dashboard-sign-in-security", "vestibule-sign-in-security", attacked),
    Shot("dashboard-door", "vestibule-door", without_the_service),
    Shot("dashboard-edge", "vestibule-edge", flooded),
    Shot("dashboard-overview", "vestibule-overview", calm),
)


def main(names: Sequence[str]) -> None:
    """Take the pictures of these names, or all."""
    for shot in SHOTS:
        if not names or shot.name in names:
            target = FOLDER / f"{shot.name}.png"
            take(shot, target)
            shrink([target])


def take(shot: Shot, target: Path) -> None:
    """Run the traffic of one picture, and take it."""
    with scraped(each_seconds=SCRAPE_SECONDS) as own:
        run(list(shot.scene(own)), SECONDS)
        until = time.time()
        shown = Shown(until - SECONDS + 4 * SCRAPE_SECONDS, until, SCRAPE_SECONDS)
        html = page(own.prometheus, shot.dashboard, shown)
    photograph(html, target)


def photograph(html: str, target: Path, *, width: int = WIDTH) -> None:
    """Have Chromium take a picture of a page."""
    with sync_playwright() as playwright, chromium(playwright) as browser:
        tab = browser.new_page(viewport={"width": width, "height": 100})
        tab.set_content(html)
        tab.screenshot(path=target, full_page=True)


if __name__ == "__main__":
    main(sys.argv[1:])
