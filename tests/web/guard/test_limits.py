"""The outer limit on POSTs: what it counts, how it answers, and what happens when the counters fail (RL)."""

import re
import time
from types import SimpleNamespace
from typing import Final

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from limits.storage import MemoryStorage
from structlog.testing import capture_logs

from service.login.networks import network_of
from service.services import OuterLimit, Unavailable
from service.web.guard import limits
from tests.rig.answer import Answer
from tests.rig.passwords import PASSWORD
from tests.rig.promises import kept
from tests.rig.wire import FORM, JSON, ask, post
from tests.rig.world import World

RIGHT: Final = f"username=alice&password={PASSWORD.replace(' ', '+')}"
N: Final = 3


class Away(MemoryStorage):
    """Counters that cannot be reached."""

    STORAGE_SCHEME = ["away-for-tests"]  # noqa: RUF012 - how the base class is told

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:  # noqa: ARG002
        raise Unavailable("redis://:secret@counters:6379 does not answer")


class Broken(MemoryStorage):
    """Counters that raise an unexpected exception."""

    STORAGE_SCHEME = ["broken-for-tests"]  # noqa: RUF012 - how the base class is told

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:  # noqa: ARG002
        raise KeyError("secret")


def limited(world: World, storage: str = "memory://", **changed: object) -> Flask:
    """Return an app that takes N POSTs a minute from one network."""
    return world.app(outer_limit=OuterLimit(N, storage, {}, b"a key"), **changed)


def attempt(app: Flask, address: str = "192.0.2.7", body: str = "username=alice&password=x", **more: object) -> Answer:
    """Sign in from an address; by default with a wrong password."""
    return kept(post(app, "/", body, HTTP_X_FORWARDED_FOR=address, **more))


def exhausted(app: Flask, address: str = "192.0.2.7") -> Flask:
    """Use up what one network has."""
    for _ in range(N):
        attempt(app, address)
    return app


def test_one_more_than_allowed_is_refused(world: World) -> None:
    """The first N are answered, every one after that is 429 with Retry-After."""
    app = limited(world)

    answers = [attempt(app) for _ in range(N + 3)]

    assert [answer.status for answer in answers] == [401] * N + [429] * 3
    assert {50 <= int(str(answer.get("Retry-After"))) <= 60 for answer in answers[N:]} == {True}


def test_the_page_says_when_to_come_back(world: World) -> None:
    """In words on the page, as seconds in the header; JSON has its own form."""
    app = exhausted(limited(world))
    page, answer = attempt(app), attempt(app, headers=[JSON])

    assert "Please try again <strong>in a minute</strong>" in page.text.replace("in 59 seconds", "in a minute")
    assert (answer.status, answer.json["error"]) == (429, "too_many_requests")


def test_a_right_password_gets_the_same_refusal(world: World) -> None:
    """During the block nothing tells a right password from a wrong one, or one name from another (RL-01, EN-11)."""
    app = exhausted(limited(world))
    bodies = ["username=alice&password=x", RIGHT, "username=nobody&password=x", "", "username=%ff"]

    answers = [attempt(app, body=body) for body in bodies]

    pages = {
        re.sub('value="(?:alice|nobody)"', "", answer.text.replace(str(answer.get("X-Request-ID")), ""))
        for answer in answers[:3]
    }
    assert ({answer.status for answer in answers}, world.rows.sessions) == ({429}, {})
    assert len({page.replace("in 59 seconds", "in a minute") for page in pages}) == 1


def test_every_address_shares_one_bucket(world: World) -> None:
    """All forms count together: three of others leave no sign-in."""
    app = limited(world)
    for target in ("/", "/setup", "/account/password"):
        post(app, target)

    assert attempt(app).status == 429


@pytest.mark.parametrize("storage", ["memory://", "away-for-tests://"])
def test_signing_out_always_works(world: World, storage: str) -> None:
    """With the network's forms used up, or nothing to count with, the row is gone; and it uses nothing up."""
    cookie = (post(world.app(), "/", RIGHT).get("Set-Cookie") or "").partition(";")[0]
    app = limited(world, storage)
    with capture_logs():
        attempts = [attempt(app).status for _ in range(N + 1)]

    answers = [kept(post(app, "/logout", headers=[("Cookie", cookie)])).status for _ in range(N + 1)]

    assert attempts[-1] in {429, 503}
    assert (answers, world.rows.sessions) == ([303] * (N + 1), {})


@pytest.mark.parametrize(
    "target",
    ["", "/", "/?", "/?x=1", "/?rd=/account", "//", "/.", "/%2e", "/%2F", "/;x", "/%20", "/index.html", "/LOGIN"],
)
def test_no_other_spelling_of_the_page_has_a_bucket_of_its_own(world: World, target: str) -> None:
    """Whatever is asked for instead of `/`: it is the same page and as throttled, or no page at all (RL-17)."""
    assert post(exhausted(limited(world)), target, RIGHT).status in {429, 404}
    assert world.rows.sessions == {}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "FOOBAR"])
def test_only_posts_count(world: World, method: str) -> None:
    """Looking at pages uses nothing up, and goes on when posting is over."""
    app = limited(world)
    for _ in range(N * 5):
        ask(app, method, "/")

    assert attempt(app).status == 401
    assert ask(exhausted(app), method, "/").status != 429


def test_other_sites_use_nothing_up(world: World) -> None:
    """A page elsewhere that posts from a person's browser does not lock that person out."""
    app = limited(world)
    refused = [
        ask(app, "POST", headers=[("Origin", "https://evil.test")], body=RIGHT.encode(), content_type=FORM).status
        for _ in range(N * 5)
    ]

    assert (set(refused), attempt(app, body=RIGHT).status) == ({403}, 303)


def test_another_host_uses_nothing_up(world: World) -> None:
    """Requests for another name are refused before they are counted."""
    app = limited(world)
    for _ in range(N * 2):
        post(app, "/", RIGHT, HTTP_HOST="evil.test")

    assert attempt(app).status == 401


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("192.0.2.7", "::ffff:192.0.2.7", True),
        ("192.0.2.7", "::ffff:c000:207", True),
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8::1", "2001:DB8:0:0::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1", "fe80::1%eth0", True),
        ("::1", "127.0.0.1", False),
        ("", "nonsense", True),
        ("a", "1.2.3.4:99", True),
        ("a", "192.0.2.7", False),
        ("6.6.6.6, 192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7, 6.6.6.6", "192.0.2.7", False),
    ],
)
def test_who_shares_a_bucket(world: World, first: str, second: str, *, shared: bool) -> None:
    """A /64 of IPv6, one address of IPv4 in each of its spellings, the last hop; what is unreadable has one bucket."""
    app = exhausted(limited(world), first)

    assert (attempt(app, second).status == 429) is shared


def test_without_an_address_there_is_a_bucket(world: World) -> None:
    """A unix socket without a forwarded address still counts; an empty key would skip the limit (RL-07)."""
    app = limited(world)
    answers = [
        post(app, "/", RIGHT, HTTP_X_FORWARDED_FOR="", REMOTE_ADDR=peer).status for peer in ("", "", "", "", "unix:")
    ]

    assert answers == [303, 303, 303, 429, 429]


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_any_address_has_a_bucket(text: str) -> None:
    """No address is without a name, and naming never fails."""
    assert network_of(text)


def test_counters_hold_no_address(world: World) -> None:
    """What is kept to count is a keyed digest: no address, and nothing that one could be found from without the key."""
    keys = set()

    class Seen(MemoryStorage):
        STORAGE_SCHEME = ["seen-for-tests"]  # noqa: RUF012 - how the base class is told

        def incr(self, key: str, expiry: float, amount: int = 1) -> int:
            keys.add(key)
            return super().incr(key, expiry, amount)

    attempt(limited(world, "seen-for-tests://"))

    assert len(keys) == 1
    assert "192.0.2" not in "".join(keys)


@pytest.mark.parametrize("storage", ["away-for-tests://", "broken-for-tests://"])
def test_what_cannot_be_counted_is_not_let_through(world: World, storage: str) -> None:
    """Without counters every POST is 503 with Retry-After, also with the right password; pages go on (RL-15)."""
    app = limited(world, storage)

    with capture_logs():
        answers = [attempt(app, body=RIGHT) for _ in range(N + 1)]

    assert {answer.status for answer in answers} == {503}
    assert (world.rows.sessions, "secret" in answers[0].text) == ({}, False)
    assert kept(ask(app)).status == 200


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_clock_that_jumps(world: World, monkeypatch: pytest.MonkeyPatch, jump: int) -> None:
    """Whatever the clock does, Retry-After stays between a second and the window's minute (RL-19)."""
    app = exhausted(limited(world))
    monkeypatch.setattr(limits, "time", SimpleNamespace(time=lambda: time.time() + jump))

    assert 1 <= int(str(attempt(app).get("Retry-After"))) <= limits.WINDOW_SECONDS
