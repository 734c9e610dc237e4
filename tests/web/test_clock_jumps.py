"""A clock that jumps is noticed, by those who answer requests."""

import time
from collections.abc import Iterator
from typing import Final

import pytest
from flask import Flask

from service.web import noticing
from service.web.clock_jumps import ClockWatch, steady_clock
from tests.rig.people import NOW
from tests.web import scraped
from tests.web.conftest import World
from tests.web.logs.conftest import Lines, lines, served
from tests.web.wire import ask

__all__ = ["lines", "served"]

DIRECTIONS: Final = ("forward", "back")


class Clocks:
    """A wall clock that a test sets, and one that only runs."""

    def __init__(self) -> None:
        self.wall, self.steady = float(NOW), 1000.0
        self.watch = ClockWatch(lambda: self.wall, lambda: self.steady)

    def run(self, seconds: float, *, set_by: float = 0) -> float:
        """Let time go by, set the wall clock, and look."""
        self.steady += seconds
        self.wall += seconds + set_by
        return self.watch.look()


@pytest.fixture
def clocks() -> Clocks:
    """Clocks at which somebody looked once."""
    made = Clocks()
    made.watch.look()
    return made


@pytest.mark.parametrize("seconds", [0, 0.001, 1, 86_400, 400 * 86_400])
def test_time_that_goes_by_is_no_jump(clocks: Clocks, seconds: float) -> None:
    """However long nobody asked for anything."""
    assert clocks.run(seconds) == 0


@pytest.mark.parametrize("set_by", [2.1, 3600, -2.1, -3600, -NOW])
def test_a_jump_has_its_size(clocks: Clocks, set_by: float) -> None:
    """Forward or back, at once or after an idle night: it is seen at the next look, and once."""
    seen = [clocks.run(seconds, set_by=now_by) for seconds, now_by in [(30_000, set_by), (0.1, 0), (5, set_by)]]

    assert seen == [pytest.approx(set_by), 0, pytest.approx(set_by)]


@pytest.mark.parametrize("set_by", [2, -2, 0.5])
def test_a_correction_is_no_jump(clocks: Clocks, set_by: float) -> None:
    """What a time service sets right by up to two seconds breaks nothing, however often it does."""
    assert [clocks.run(60, set_by=set_by) for _ in range(10)] == [0] * 10


def test_the_first_look_compares_with_nothing() -> None:
    """A worker that begins has seen no jump, whatever the clocks say."""
    assert Clocks().run(5, set_by=3600) == 0


def test_a_worker_that_was_held_up_sees_no_jump() -> None:
    """Stopped for ten seconds between the readings of two clocks, it knows of no jump, then or later."""
    steady: Iterator[float] = iter([1000.0, 1000.0, 1001.0, 1011.0, 1012.0, 1012.0])
    wall: Iterator[float] = iter([NOW, NOW + 1.0, NOW + 12.0])
    watch = ClockWatch(lambda: next(wall), lambda: next(steady))

    assert [watch.look() for _ in range(3)] == [0, 0, 0]


def test_the_steady_clock_runs_like_the_other() -> None:
    """The two clocks of this machine go together."""
    watch = ClockWatch(time.time, steady_clock)

    assert {watch.look() for _ in range(100)} == {0}
    assert steady_clock() <= steady_clock()


def jumps(app: Flask) -> list[float]:
    """Return the jumps that were counted, forward and back."""
    exposed = scraped.text(app)
    return [scraped.total(exposed, "vestibule_clock_jumps_total", direction=direction) for direction in DIRECTIONS]


def test_a_jump_is_counted_and_said(world: World, monkeypatch: pytest.MonkeyPatch, lines: Lines) -> None:
    """Whatever is asked for, each jump is one in its direction and one line with its size; without any there is 0."""
    clocks = Clocks()
    monkeypatch.setattr(noticing, "ClockWatch", lambda _wall, _steady: clocks.watch)
    app = world.app()
    before = jumps(app)
    for set_by, path in ((3600.25, "/"), (0, "/"), (-7200, "/healthz"), (-3, "/nope"), (1, "/")):
        clocks.wall += set_by
        ask(app, "GET", path)

    said = [(line["event"], line["seconds"]) for line in lines() if line["level"] == "warning"]
    assert (before, jumps(app)) == ([0, 0], [1, 2])
    assert said == [("the clock jumped", 3600.25), ("the clock jumped", -7200.0), ("the clock jumped", -3.0)]
