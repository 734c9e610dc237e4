"""The apps in force, as a worker reads them."""

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from service.access.apps import App
from service.access.judged_set import EMPTY, to_json
from service.access.public_address import PublicAddress
from service.access.rules import Allow, Rule
from service.refresh import EVERY_SECONDS
from service.settings.apps_in_force import FILE, AppsInForce
from tests.rig.clock import Clock
from tests.rig.until import until

WIKI = App(
    "wiki", PublicAddress("http", "localhost", 3000), "http://wiki:1", "Wiki", (Rule(number=1, allow=Allow.EVERYONE),)
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def apps(tmp_path: Path, clock: Clock) -> AppsInForce:
    """Return what a worker reads, of which one app is in force."""
    put(tmp_path, WIKI)
    return AppsInForce(tmp_path, timer=clock)


def put(directory: Path, *apps: App) -> None:
    """Put apps in force, as `proxy render` does."""
    (directory / "new").write_text(to_json(apps))
    (directory / "new").rename(directory / FILE)


def names(apps: AppsInForce) -> list[str]:
    """Return the names of the apps in force."""
    return [app.name for app in apps().apps]


def test_a_change_is_seen_once_a_second(tmp_path: Path, clock: Clock, apps: AppsInForce) -> None:
    """The file is looked at no more often, and no restart is needed."""
    put(tmp_path, WIKI, replace(WIKI, name="notes"))

    assert names(apps) == ["wiki"]
    clock.now = EVERY_SECONDS
    assert names(apps) == ["wiki", "notes"]


def test_without_the_file_there_are_no_apps(tmp_path: Path, clock: Clock, apps: AppsInForce) -> None:
    """Every request is refused: a worker that does not know the rules opens nothing."""
    (tmp_path / FILE).unlink()
    clock.now = 1

    assert (apps(), apps.is_readable()) == (EMPTY, True)
    assert AppsInForce(tmp_path / "nowhere")() is EMPTY
    put(tmp_path, WIKI)
    clock.now = 2
    assert names(apps) == ["wiki"]


@pytest.mark.parametrize("damage", ["", to_json([WIKI])[:-5], "null", '{"format": 99, "apps": []}', "\udcff"])
def test_a_damaged_file_leaves_the_last_set(tmp_path: Path, clock: Clock, apps: AppsInForce, damage: str) -> None:
    """And says so, until the file is in order again. A worker that starts with such a file has no apps."""
    (tmp_path / FILE).write_bytes(damage.encode(errors="surrogateescape"))
    clock.now = 1

    assert (names(apps), apps.is_readable()) == (["wiki"], False)
    assert AppsInForce(tmp_path)() is EMPTY
    put(tmp_path, WIKI)
    clock.now = 2
    assert apps.is_readable()


def test_no_request_is_decided_by_an_old_set(tmp_path: Path, clock: Clock, apps: AppsInForce) -> None:
    """After a quiet hour a second request waits for the first one's look: the bound holds for both."""
    (tmp_path / FILE).unlink()
    os.mkfifo(tmp_path / FILE)  # it is read as slowly as this test writes it
    clock.now, found = 3600, list[list[str]]()
    threads = [threading.Thread(target=lambda: found.append(names(apps))) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(apps._refresh._reading.locked, "one of them looks")

    (tmp_path / FILE).write_text(to_json([replace(WIKI, name="new")]))

    for thread in threads:
        thread.join()
    assert found == [["new"], ["new"]]
