"""Too many wrong passwords: one refusal for every username; it reveals, hashes and writes nothing (EN, RL)."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import islice
from threading import Event
from typing import Final

import pytest
from flask import Flask
from structlog.testing import capture_logs

from service.hashing.fair_queue import Job
from service.hashing.gate import Result, Shed
from service.login.attempts import Scope
from service.login.audit import Happened
from tests.rig import scraped
from tests.rig.answer import Answer
from tests.rig.gates import Gate
from tests.rig.memory_attempts import MemoryAttempts
from tests.rig.memory_store import Rows
from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.people import NOW, alice
from tests.rig.promises import copy_of, kept
from tests.rig.wire import JSON, post
from tests.rig.world import World
from tests.web.attack import LIMITS, attack, cookie_of, known_browser, sign_in, use_up

NAMES: Final = ["alice", "ALICE", "shutt", "guest", "nobody", "no such name!", "\u0000", "ı", "a" * 500, ""]


@pytest.fixture
def people(world: World) -> World:
    """A world with an account in every state."""
    world.rows.accounts |= {
        "b": alice(id="b", username="shutt", disabled_at=NOW),
        "c": alice(id="c", username="guest", password_hash=None),
    }
    return world


@pytest.fixture
def app(people: World) -> Flask:
    """An app with small limits."""
    return people.app(throttles=LIMITS)


def seen(answer: Answer, typed: str) -> tuple[object, ...]:
    """Return all of an answer but what differs in every answer: the request's id, the nonce, and the name as typed."""
    nonce = str(answer.get("Content-Security-Policy")).partition("nonce-")[2].partition("'")[0]
    own = {str(answer.get("X-Request-ID")): "ID", nonce: "NONCE"}
    text, headers = answer.text, str([each for each in answer.headers if each[0] != "Content-Length"])
    for what, instead in own.items():
        text, headers = text.replace(what, instead), headers.replace(what, instead)
    assert answer.get("Content-Type") == "application/json" or f'value="{typed}"' in text
    return answer.status, headers, text.replace(f'value="{typed}"', 'value="NAME"').replace(" autofocus", "")


@pytest.mark.parametrize("headers", [[], [JSON]], ids=["page", "json"])
def test_the_refusal_is_the_same_for_every_username(app: Flask, headers: list[tuple[str, str]]) -> None:
    """Names that exist, that do not, that cannot; a wrong and the right password: only the name as typed differs."""
    networks = {name: f"192.0.2.{number}" for number, name in enumerate(NAMES)}
    for name, address in networks.items():
        assert use_up(app, name, address) == [401, 401, 401, 429]

    answers = {
        seen(sign_in(app, password, username=name, address=address, headers=headers), name)
        for name, address in networks.items()
        for password in ("wrong", PASSWORD, "")
    }

    assert len(answers) == 1
    assert next(iter(answers))[0] == 429


def test_an_attack_from_everywhere_tells_no_names_apart(people: World) -> None:
    """A new browser gets the same refusal and time for a username under attack, known or unknown."""
    answers = set()
    for name in ("alice", "nobody", "shutt"):
        app, people.now = people.app(throttles=LIMITS, attempts=MemoryAttempts(Rows())), NOW
        attack(app, name)
        people.now = NOW + 3
        answers |= {seen(sign_in(app, password, username=name), name) for password in ("wrong", PASSWORD)}

    assert len(answers) == 1
    assert "in 60 minutes" in str(answers)


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_so_many_and_not_one_more(app: Flask, people: World, name: str) -> None:
    """A known and an unknown name are refused at the same attempt, and may be tried again at the same second."""
    first = use_up(app, name)
    people.now = NOW + 3
    refused = sign_in(app, username=name, address="192.0.2.1")
    people.now = NOW + 899
    almost = sign_in(app, username=name, address="192.0.2.1")
    people.now = NOW + 900
    again = use_up(app, name)

    assert first == again == [401, 401, 401, 429]
    assert [refused.get("Retry-After"), almost.get("Retry-After")] == ["897", "1"]


def test_the_refusal_says_what_to_do(app: Flask, people: World) -> None:
    """When to come back, in words and as a header; that a browser which is known gets in; and JSON for programs."""
    use_up(app)
    people.now = NOW + 3

    page = sign_in(app, address="192.0.2.1")
    answer = sign_in(app, address="192.0.2.1", headers=[JSON])

    assert "<strong>Too many tries</strong>" in page.text
    assert "Please try again <strong>in 15 minutes</strong>" in page.text
    assert "a browser in which you signed in before still lets you in" in page.text
    assert (page.get("Retry-After"), page.get("Cache-Control"), page.all("Set-Cookie")) == ("897", "no-store", [])
    assert (answer.json["error"], answer.get("Retry-After")) == ("too_many_tries", "897")


def test_right_passwords_at_once_wait_a_second(people: World) -> None:
    """Of ten for one account from one network the limit is checked, and the others are told to come a second later."""
    gate = Held(threads=1, waiting=20)
    app = people.app(throttles=LIMITS, gate=gate)

    with ThreadPoolExecutor(10) as browsers, gate.opened_at_the_end():
        asked = [browsers.submit(sign_in, app, PASSWORD) for _ in range(10)]
        refused = [answer.result() for answer in islice(as_completed(asked, timeout=60), 7)]
    later = [sign_in(app, PASSWORD).status for _ in range(7)]

    assert {(answer.status, answer.get("Retry-After")) for answer in refused} == {(429, "1")}
    assert Counter(answer.result().status for answer in asked) == {303: 3, 429: 7}
    assert later == [303] * 7


class Held(Gate):
    """A gate behind which nothing is hashed before it may go on."""

    go_on = Event()

    @contextmanager
    def opened_at_the_end(self) -> Iterator[None]:
        """Let everything behind it go on when the block ends, however it does."""
        try:
            yield
        finally:
            self.go_on.set()

    def work(self, job: Job, work: Callable[[], Result]) -> Result | Shed:
        self.go_on.wait()
        return super().work(job, work)


class Watched(Gate):
    """A gate that remembers how often something was hashed."""

    hashed = 0

    def work(self, job: Job, work: Callable[[], Result]) -> Result | Shed:
        self.hashed += 1
        return super().work(job, work)


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_a_refusal_costs_nothing(people: World, name: str) -> None:
    """Nothing is hashed and nothing is written, neither an attempt nor a line of the trail, also for the right one."""
    gate = Watched()
    app = people.app(throttles=LIMITS, gate=gate)
    use_up(app, name)
    before, hashed = copy_of(people.rows), gate.hashed

    refused = [sign_in(app, password, username=name, address="192.0.2.1") for password in ("wrong", PASSWORD) * 5]

    assert {answer.status for answer in refused} == {429}
    assert (people.rows, gate.hashed) == (before, hashed)


def test_right_passwords_are_never_too_many(app: Flask, people: World) -> None:
    """Two wrong passwords before a right one use up two attempts, however often that happens."""
    statuses = [sign_in(app, password).status for password in ["wrong", "wrong", *[PASSWORD] * 9, "wrong", PASSWORD]]

    assert statuses == [401, 401, *[303] * 9, 401, 429]
    assert len(people.rows.attempts) == 3


def test_neighbours_go_on(app: Flask) -> None:
    """Who shares neither name nor network with an attack notices nothing of it."""
    attack(app, "guest")
    use_up(app)

    assert sign_in(app, PASSWORD).status == 303
    assert sign_in(app, PASSWORD, address="192.0.2.1").status == 429
    assert sign_in(app, username="nobody", address="192.0.2.1").status == 401


def change(app: Flask, cookie: str, current: str = "wrong", **more: object) -> Answer:
    """Try to change the password in a session."""
    body = f"current={current}&password={OTHER_PASSWORD}&repeat={OTHER_PASSWORD}".replace(" ", "+")
    return kept(post(app, "/account/password", body, HTTP_COOKIE=cookie, **more))


def test_a_stolen_session_guesses_no_password(app: Flask, people: World) -> None:
    """Each session may guess so often when it changes the password; an attack from elsewhere takes none of that."""
    mine, stolen = (cookie_of(sign_in(app, PASSWORD), "vestibule_session") for _ in range(2))
    attack(app)

    statuses = [change(app, stolen, current).status for current in ("wrong", "wrong", "wrong", PASSWORD)]
    people.now = NOW + 3
    refused, before = change(app, stolen, PASSWORD, headers=[JSON]), copy_of(people.rows)
    change(app, stolen, PASSWORD)

    assert statuses == [400, 400, 429, 429]
    assert (refused.json["error"], refused.get("Retry-After")) == ("too_many_tries", "897")
    assert people.rows == before
    assert change(app, mine, PASSWORD).status == 303


def test_the_numbers_tell_the_story(app: Flask) -> None:
    """How each sign-in ended, and which limit refused: what an operator sees on a dashboard during an attack."""
    known = known_browser(app)
    attack(app)
    use_up(app, "nobody")
    sign_in(app, PASSWORD)
    answers = [sign_in(app, cookie=known).status for _ in range(3)]
    exposed = scraped.text(app)

    def total(name: str, **labels: str) -> float:
        return scraped.total(exposed, f"vestibule_{name}_total", **labels)

    outcomes = ("granted", "wrong_password", "unknown", "throttled")
    assert answers == [401, 401, 429]
    assert [total("sign_in_attempts", outcome=outcome) for outcome in outcomes] == [1, 10, 3, 4]
    assert [total("sign_in_attempts", outcome=outcome, device="known") for outcome in outcomes] == [0, 2, 0, 1]
    assert [total("throttled", scope=scope) for scope in Scope] == [1, 0, 2, 1, 0]
    assert total("throttled") == 4


def test_the_log_and_the_trail_tell_it_once(app: Flask, people: World) -> None:
    """A limit that is exhausted is an event with its scope; for unknown usernames in the log alone."""
    with capture_logs() as lines:
        attack(app)
        use_up(app, "nobody")
    told = [(line["account"], line["scope"]) for line in lines if line["event"] == "authn_login_fail_max"]
    refused = [line["account"] for line in lines if line.get("reason") == "throttled"]
    trail = [(entry.account, entry.detail) for entry in people.rows.trail if entry.event is Happened.LIMIT_EXHAUSTED]

    assert told == [("alice", "account"), (None, "account_from_network")]
    assert refused == ["alice", None]
    assert trail == [("alice", "account")]
    assert sum(entry.event is Happened.SIGN_IN_REFUSED for entry in people.rows.trail) == 8
