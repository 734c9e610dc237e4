"""Every query of every panel gives data: real Prometheus scrapes the real servers each second, under mixed traffic."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

import pytest

from tests.bench.open_loop import run
from tests.dashboards import traffic
from tests.dashboards.answers import Shown, ask, lines
from tests.dashboards.app_traffic import of_apps
from tests.dashboards.boards import NAMES, Panel, panels
from tests.dashboards.page import page
from tests.dashboards.scraping import scraped
from tests.rig.prometheus import Prometheus

SECONDS: Final = 12
MOST_SERIES: Final = 50


@dataclass(frozen=True)
class Seen:
    """What was scraped under traffic, and what was afterwards, without the service."""

    prometheus: Prometheus
    under_traffic: Shown
    without_the_service: Shown


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    """What was scraped while people came and went, one network guessed passwords, and one address flooded forms."""
    with scraped(each_seconds=1) as own:
        servers, known = own.servers, own.known
        began = time.time()
        kinds = [*traffic.ordinary(servers, known, SECONDS), *traffic.attack(servers, since=0, until=SECONDS)]
        kinds += of_apps(own.apps, known, SECONDS)
        run([*kinds, *traffic.flood(servers, since=2, until=SECONDS)], SECONDS)
        blocked = servers.vestibule("block", "add", traffic.ATTACKED, "--for", "2h")
        assert blocked.returncode == 0, blocked.stderr
        # Once the attack is blocked, even a busy machine gets to unknown usernames.
        run([*traffic.attack(servers, since=0, until=3), traffic.strangers(servers, until=3)], 4)
        stopped = time.time()
        still = [*traffic.ordinary(servers, known, 4), *of_apps(own.apps, known, 4)]
        servers.end("gunicorn")
        run(still, 4)
        under_traffic, without = Shown(began, stopped, scrape_seconds=1), Shown(stopped, time.time(), scrape_seconds=1)
        yield Seen(own.prometheus, under_traffic, without)


@pytest.mark.parametrize("panel", [pytest.param(each, id=f"{each.dashboard}: {each.title}") for each in panels()])
def test_each_query_gives_data(seen: Seen, panel: Panel) -> None:
    """A query is answered without an error, with numbers, and with no more series than a person can tell apart."""
    for query in panel.queries:
        answer = ask(seen.prometheus, query, seen.under_traffic)
        assert 1 <= len(answer) <= MOST_SERIES
    assert len(lines(seen.prometheus, panel, seen.under_traffic)) >= len(panel.queries)


def test_an_attack_shows_and_so_do_people(seen: Seen) -> None:
    """The security dashboard tells which limits stop the attack, and that known devices get in meanwhile."""
    shown = {
        panel.title: {line.name: line for line in lines(seen.prometheus, panel, seen.under_traffic)}
        for panel in panels("vestibule-sign-in-security")
    }

    outcomes, scopes = shown["Sign-ins by outcome"], shown["Refused by limits, by scope"]
    assert all(outcomes[name].highest > 0 for name in ("granted", "wrong_password", "unknown", "throttled"))
    assert all(scopes[name].highest > 0 for name in ("account", "posts", "block"))
    assert shown["People who get in, by device"]["known devices"].highest > 0
    assert shown["Known devices: got in"]["Known devices: got in"].last > 0.5


def test_the_edge_shows_a_service_that_is_away(seen: Seen) -> None:
    """While the service is stopped, the overview shows errors and the edge who gets them."""
    away = {
        (panel.dashboard, panel.title): lines(seen.prometheus, panel, seen.without_the_service)
        for panel in panels("vestibule-overview", "vestibule-edge")
    }

    errors = {line.name: line for line in away["vestibule-overview", "Errors"]}
    assert errors["errors"].last > 1
    assert {line.name for line in away["vestibule-edge", "Failed, by app and status"] if line.last > 0} == {
        "vestibule 502",
        "git 503",
        "wiki 503",
    }


def test_the_door_shows_what_it_says_and_when_it_is_away(seen: Seen) -> None:
    """Most requests are answered from nginx's cache; without the service the door is away, and fails each app alike."""
    shown, away = (
        {
            panel.title: {line.name: line for line in lines(seen.prometheus, panel, when)}
            for panel in panels("vestibule-door")
        }
        for when in (seen.under_traffic, seen.without_the_service)
    )

    outcomes = shown["Requests to apps, by what the door said"]
    assert outcomes["cached"].highest > outcomes["allowed"].highest > 0
    assert outcomes["refused"].highest > 0
    assert {line.name for line in shown["Errors of the apps themselves"].values() if line.highest > 0} == {
        "git",
        "wiki",
    }
    assert max(line.highest for line in shown["Failed by the door, by app"].values()) == 0
    assert {line.name for line in away["Failed by the door, by app"].values() if line.last > 0} == {"git", "wiki"}
    assert (shown["Door"]["Door"].last, away["Door"]["Door"].last) == (1, 0)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_shows_every_panel(seen: Seen, name: str) -> None:
    """The renderer draws each panel, with data in it."""
    drawn = page(seen.prometheus, name, seen.under_traffic)

    assert [panel.title for panel in panels(name) if f"<h2>{escape(panel.title)}</h2>" not in drawn] == []
    assert drawn.count("<svg") >= sum(panel.json["type"] == "timeseries" for panel in panels(name))
    assert 'class="none"' not in drawn
