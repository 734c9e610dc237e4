"""Three instances behind one nginx, on one database: what one has decided holds on all of them."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.rig import accounts
from tests.rig.answer import Answer
from tests.rig.instances import Instances, instances
from tests.rig.passwords import PASSWORD
from tests.rig.postgres import Postgres
from tests.rig.until import until
from tests.whole.conftest import unhurried

NUMBERS = range(3)
LIMIT = 5  # the default, for one account from one network
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
# Each has an account: an attempt under way in an instance that is killed stays counted as a failure. The gate
# of one instance would shed a fourth client of this network.
CLIENTS = ("carol", "dave", "erin")
UNLIMITED = {"LIMITS__POST_PER_MINUTE": "60000", "LIMITS__EDGE_POST_PER_SECOND": "2000", "SERVER__DRAIN": "0s"}


@pytest.fixture(scope="module")
def it(postgres: Postgres) -> Iterator[Instances]:
    """Three instances with one worker each."""
    chosen: dict[str, Any] = {"workers": 1, "edit_nginx": unhurried, **UNLIMITED}
    with instances(database=postgres.new_database(), **chosen) as started:
        accounts.add(started.front, {name: {} for name in ("alice", "bob", *CLIENTS)})
        started.start()
        yield started


def post(it: Instances, username: str, password: str = PASSWORD) -> Answer:
    """Send the form of sign-in to whichever instance is next."""
    body = urlencode({"username": username, "password": password}).encode()
    return it.front.get("/", method="POST", body=body, **FORM)


def sign_in(it: Instances, username: str) -> str:
    """Return the Cookie header of a new session."""
    return post(it, username).all("set-cookie")[0].partition(";")[0]


def verdict(it: Instances, number: int, cookie: str) -> int:
    """Return what one instance answers at the door of the app /demo/."""
    asked = {"X_Original_URL": f"{it.front.origin}/demo/", "X_Original_Method": "GET", "X_Forwarded_For": "127.0.0.1"}
    return it.ask(number, "/auth/verify", Cookie=cookie, **asked).status


def test_sessions_and_verdicts_hold_on_all(it: Instances) -> None:
    """A session of one instance is one on each: its account page answers, and its door lets the session pass."""
    cookie, unknown = sign_in(it, "alice"), f"vestibule_session={'A' * 43}"

    assert [it.ask(number, "/account", Cookie=cookie).status for number in NUMBERS] == [200] * 3
    assert [verdict(it, number, cookie) for number in NUMBERS] == [200] * 3
    assert [verdict(it, number, unknown) for number in NUMBERS] == [401] * 3


def test_an_ended_session_is_dead_on_all(it: Instances) -> None:
    """Once a sign-out is acknowledged, no instance takes the session any more."""
    cookie = sign_in(it, "alice")

    it.front.get("/logout", method="POST", body=b"", Cookie=cookie, Origin=it.front.origin, **FORM)

    assert [verdict(it, number, cookie) for number in NUMBERS] == [401] * 3


def test_throttles_are_exact_across_all(it: Instances) -> None:
    """Of 40 parallel guesses at an account through all instances, as many are verified as the limit says."""
    with ThreadPoolExecutor(20) as clients:
        statuses = Counter(clients.map(lambda _: post(it, "bob", "wrong").status, range(40)))
    statuses += Counter(post(it, "bob", "wrong").status for _ in range(LIMIT + 1))  # some may have been shed (503)

    assert statuses[401] == LIMIT
    assert statuses.keys() <= {401, 429, 503}


def test_a_killed_instance_fails_only_what_it_was_serving(it: Instances) -> None:
    """`kill -9` of an instance fails a request on each of its connections at most; later ones meet the others.

    nginx may have two for each client: one in use, and one that is idle until its end is seen.
    """
    statuses: list[list[int]] = [[] for _ in CLIENTS]
    is_over = threading.Event()

    def come_in(name: str, seen: list[int]) -> None:
        while not is_over.is_set():
            try:
                seen.append(post(it, name).status)
            except (OSError, HTTPException):
                seen.append(0)

    clients = [threading.Thread(target=come_in, args=each) for each in zip(CLIENTS, statuses, strict=True)]
    for client in clients:
        client.start()
    try:
        until(lambda: min(map(len, statuses)) >= 3, "each client was in")
        it.kill(2)  # which waits for its end
        reached = [it.front.ops(f"/{number}/healthz").status for number in (1, 2, 3)]
        so_far = [len(seen) for seen in statuses]
        until(lambda: all(len(seen) > then + 6 for seen, then in zip(statuses, so_far, strict=True)), "they go on")
    finally:
        is_over.set()
        for client in clients:
            client.join()
        it.each[2].start_gunicorn()
        it.wait_until_ready(2)

    assert reached == [200, 200, 502]
    assert {status for seen in statuses for status in seen} <= {303, 502}
    assert sum(seen.count(502) for seen in statuses) <= 2 * len(CLIENTS)
    assert {status for seen, then in zip(statuses, so_far, strict=True) for status in seen[then + 1 :]} == {303}


def test_each_instance_has_metrics_of_its_own(it: Instances) -> None:
    """nginx's ops listener leads to each instance by its number: no scrape mixes counters."""
    numbered = [it.front.ops(f"/{number}/metrics").status for number in (1, 2, 3, 4)]
    others = [it.front.ops(path).status for path in ("/0/metrics", "/1/account", "/metrics/1")]

    assert (numbered, others) == ([200, 200, 200, 502], [404] * 3)
