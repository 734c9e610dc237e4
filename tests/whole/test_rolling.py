"""Three instances go to the next release and back, one after another, while people use them: no request fails."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.rig import accounts
from tests.rig.answer import Answer
from tests.rig.directories import server_directory
from tests.rig.instances import Instances, instances
from tests.rig.passwords import PASSWORD
from tests.rig.postgres import Postgres
from tests.rig.releases import last_release, later_release, next_step
from tests.rig.until import until
from tests.whole.conftest import unhurried

NUMBERS = range(3)
LIMIT = 5  # the default, for one account from one network
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
UNLIMITED = {"LIMITS__POST_PER_MINUTE": "60000", "LIMITS__EDGE_POST_PER_SECOND": "2000"}
PAUSE_SECONDS = 0.02


@pytest.fixture(scope="module")
def code() -> Iterator[Path]:
    """A directory for releases that the servers' user may enter."""
    with server_directory("code", mode=0o755) as place:
        yield place


@pytest.fixture(scope="module")
def it(postgres: Postgres) -> Iterator[Instances]:
    """Three instances with one worker each, of this release."""
    chosen: dict[str, Any] = {"workers": 1, "edit_nginx": unhurried, "SERVER__DRAIN": "1s", **UNLIMITED}
    with instances(database=postgres.new_database(), **chosen) as started:
        accounts.add(started.front, {"alice": {}, "bob": {}})
        started.start()
        yield started


def sign_in(it: Instances, username: str, password: str = PASSWORD, cookie: str = "") -> Answer:
    """Send the form of sign-in to whichever instance is next."""
    body = urlencode({"username": username, "password": password}).encode()
    return it.front.get("/", method="POST", body=body, Cookie=cookie, Origin=it.front.origin, **FORM)


def cookies(answer: Answer) -> list[str]:
    """Return the session cookie and the device cookie that a sign-in gave."""
    return [each.partition(";")[0] for each in answer.all("set-cookie")]


@contextmanager
def clients(*requests: Callable[[], int]) -> Iterator[Counter[tuple[int, int]]]:
    """Send each kind of request, one after another, until the block ends; how often which kind had which status."""
    seen, is_over = Counter[tuple[int, int]](), threading.Event()

    def come_back(kind: int, request: Callable[[], int]) -> None:
        while not is_over.wait(PAUSE_SECONDS):
            try:
                status = request()
            except (OSError, HTTPException):
                status = 0
            seen[kind, status] += 1

    threads = [threading.Thread(target=come_back, args=each) for each in enumerate(requests)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def test_to_the_next_release_and_back(it: Instances, code: Path) -> None:
    """With a migration first: no check and no sign-in fails; sessions, device cookies and verdicts hold on both."""
    later = next_step(code)
    session, device = cookies(sign_in(it, "alice"))
    for _ in range(LIMIT):
        assert sign_in(it, "alice", "wrong").status == 401
    held = set()

    def check() -> int:
        return it.front.get("/demo/", Cookie=session).status

    with clients(check, check, lambda: sign_in(it, "bob").status) as seen:
        assert it.upgrade(later) == 0
        for release in (later, it.front.code):
            for number in NUMBERS:
                it.replace(number, release)
                unknown, known = sign_in(it, "alice"), sign_in(it, "alice", cookie=device)
                pages = {
                    it.ask(n, "/account", Cookie=each).status for n in NUMBERS for each in (session, cookies(known)[0])
                }
                held.add((unknown.status, known.status, *pages))

    assert seen.keys() == {(0, 200), (1, 200), (2, 303)}
    assert held == {(429, 303, 200)}
    assert all(f'"release": "{later_release(it.front.code)}"' in each.log("gunicorn") for each in it.each)


def test_the_last_release_beside_this_one(it: Instances, code: Path) -> None:
    """After this release's migration the last release serves on, and may be installed again: one step back works."""
    it.replace(0, last_release(code))
    until(lambda: it.front.ops("/readyz").status == 200, "nginx asks them")
    session = cookies(sign_in(it, "bob"))[0]

    assert [it.ask(number, "/account", Cookie=session).status for number in NUMBERS] == [200] * 3
