"""Gauges from the database, and readiness."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Final

import pytest
from flask import Flask

from service.services import Health, Unavailable
from service.web.telemetry import gauges
from tests.rig import scraped
from tests.rig.memory_store import MemoryAccounts
from tests.rig.passwords import PASSWORD
from tests.rig.people import NOW, alice
from tests.rig.promises import kept
from tests.rig.wire import ask
from tests.rig.world import World, browser

RIGHT: Final = {"username": "alice", "password": PASSWORD}


def status_of(app: Flask, path: str) -> int:
    """Return the status of an ops path, whatever Host it is asked under."""
    return ask(app, "GET", path, HTTP_HOST="10.0.0.1:9180").status


def test_the_state_is_shown(world: World) -> None:
    """Accounts by state, live sessions, the release; sessions that ended do not count."""
    world.rows.accounts |= {
        "b": alice(id="b", username="bob", disabled_at=NOW),
        "c": alice(id="c", username="carol", password_hash=None),
    }
    app = world.app()
    browser(app).post("/", data=RIGHT)
    exposed = scraped.text(app)

    states = {
        state: scraped.total(exposed, "vestibule_accounts", state=state) for state in ("active", "disabled", "invited")
    }
    assert states == {"active": 1, "disabled": 1, "invited": 1}
    assert scraped.total(exposed, "vestibule_sessions") == 1
    assert scraped.total(exposed, "vestibule_build_info") == 1
    world.now += 101
    assert scraped.total(scraped.text(world.app()), "vestibule_sessions") == 0


class Counted(MemoryAccounts):
    """Accounts that remember how often they were counted."""

    times = 0

    def count(self) -> dict[str, int]:
        type(self).times += 1
        return super().count()


def test_the_database_is_asked_every_thirty_seconds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often Prometheus scrapes, rows are counted at most twice a minute in each worker."""
    moment, asked = [1000.0], []
    monkeypatch.setattr(gauges, "time", SimpleNamespace(monotonic=lambda: moment[0]))
    app = world.app(accounts=(accounts := Counted(world.rows)))
    type(accounts).times = 0
    for moment[0] in (1000.0, 1000.1, 1029.9, 1030.0, 1059.9, 1060.0):
        scraped.text(app)
        asked.append(accounts.times)

    assert asked == [1, 1, 1, 2, 2, 3]


def test_a_lost_database_is_a_metric(world: World) -> None:
    """`vestibule_database_up 0`, and no gauge that would be a guess; the scrape itself is never refused."""
    world.database_answers = False

    exposed = scraped.text(world.app())

    assert scraped.series(exposed)["vestibule_database_up", frozenset()] == 0
    assert [name for name, _ in scraped.series(exposed) if name in {"vestibule_sessions", "vestibule_accounts"}] == []


def test_a_database_lost_in_the_middle_is_no_error(world: World) -> None:
    """A store that goes away while it is counted leaves out what it did not say."""

    class Gone(MemoryAccounts):
        def count(self) -> dict[str, int]:
            raise Unavailable("gone")

    answer = kept(ask(world.app(accounts=Gone(world.rows)), "GET", "/metrics"))

    assert (answer.status, "vestibule_sessions " in answer.text, "vestibule_accounts{" in answer.text) == (
        200,
        True,
        False,
    )


def raising() -> bool:
    """Answer as a store that cannot be reached."""
    raise Unavailable("gone")


def silent(_told: Callable[[bool], None]) -> None:
    """Never lose the counters."""


@pytest.mark.parametrize(
    ("health", "ready", "pending"),
    [
        (Health(lambda: True, lambda: False, silent), 200, 0),
        (Health(lambda: True, lambda: True, silent), 503, 1),
        (Health(lambda: False, raising, silent), 503, None),
    ],
    ids=["well", "migrations missing", "not seen yet"],
)
def test_readiness(world: World, health: Health, ready: int, pending: int | None) -> None:
    """Red while migrations are missing, and until the tables were seen once; liveness asks nothing at all."""
    app = world.app(health=health)

    shown = scraped.series(scraped.text(app)).get(("vestibule_migrations_pending", frozenset()))

    assert (status_of(app, "/readyz"), status_of(app, "/healthz"), shown) == (ready, 200, pending)
