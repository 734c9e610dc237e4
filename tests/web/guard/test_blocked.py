"""A client in a blocked network gets one short refusal instead of any page (403)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest
from flask import Flask

from service import refresh
from service.access.block_list import Block
from service.services import OuterLimit, Unavailable
from tests.rig import scraped
from tests.rig.answer import Answer
from tests.rig.memory_store import MemoryBlocks
from tests.rig.passwords import PASSWORD
from tests.rig.people import NOW
from tests.rig.promises import copy_of, kept
from tests.rig.until import until
from tests.rig.wire import JSON, ask, post
from tests.rig.world import HTTPS, World
from tests.web.addresses import addresses

RIGHT: Final = f"username=alice&password={PASSWORD.replace(' ', '+')}"
THERE: Final = "192.0.2.0/24"  # where `wire` asks from


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the list be read with every request."""
    monkeypatch.setattr(refresh, "EVERY_SECONDS", 0.0)


@pytest.fixture
def blocked(world: World) -> World:
    """A world in which the network that asks is blocked for an hour."""
    block(world)
    return world


def block(world: World, network: str = THERE, seconds: int = 3600) -> None:
    """Block a network for so many seconds."""
    world.rows.blocks[network] = Block(network, NOW + seconds, NOW, "a canary of a reason")


def refused(app: Flask, **more: object) -> bool:
    """Whether the sign-in page is withheld."""
    return kept(ask(app, **more)).status == 403  # type: ignore[arg-type]


def test_everything_is_withheld(blocked: World) -> None:
    """Every page, every method, what does not exist, another host's spelling of it; also with the right password."""
    app, before = blocked.app(), copy_of(blocked.rows)
    asked = [(method, target) for method in ("GET", "POST", "PUT") for target in addresses(app, method)]
    pages = [each for each in asked if each[1] not in {"/metrics", "/healthz", "/readyz"}]

    answers = [kept(ask(app, *each)) for each in [*pages, ("GET", "/nope"), ("POST", "/nope"), ("DELETE", "/")]]
    answers.append(kept(post(app, "/", RIGHT)))

    assert {answer.status for answer in answers} == {403}
    assert len(answers) > 12
    assert blocked.rows == before


def test_the_refusal_is_short(blocked: World) -> None:
    """A page without a way on but to ask, or JSON; neither says for how long, nor why."""
    app = blocked.app()

    page, answer = kept(ask(app)), kept(ask(app, headers=[JSON]))

    assert ("<h1>Not from here</h1>" in page.text, 'class="button' in page.text) == (True, False)
    assert ("send them the reference" in page.text, str(page.get("X-Request-ID")) in page.text) == (True, True)
    assert (answer.status, answer.json["error"]) == (403, "blocked")
    assert "canary" not in page.text + answer.text
    assert [page.all("Retry-After"), page.all("Set-Cookie")] == [[], []]


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_a_block_does_not_hold_on_the_ops_paths(world: World, path: str) -> None:
    """Probes and Prometheus are answered from a blocked network: a block is no reason to restart the service."""
    block(world, "0.0.0.0/0")

    assert ask(world.app(), "GET", path, HTTP_HOST="10.0.0.1:9180").status == 200


@pytest.mark.parametrize(
    ("network", "address", "is_out"),
    [
        ("192.0.2.7/32", "192.0.2.7", True),
        ("192.0.2.7/32", "192.0.2.8", False),
        ("192.0.2.0/24", "::ffff:192.0.2.7", True),
        ("192.0.2.0/24", "::ffff:c000:207", True),
        ("2001:db8::/64", "2001:db8::ffff:1", True),
        ("2001:db8::/64", "2001:DB8:0:0:1::", True),
        ("2001:db8::/64", "2001:db8:0:1::1", False),
        ("192.0.2.0/24", "192.0.2.7, 198.51.100.1", False),
        ("192.0.2.0/24", "198.51.100.1, 192.0.2.7", True),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("0.0.0.0/0", "", False),
        ("::/0", "192.0.2.7", False),
    ],
)
def test_who_is_in_a_network(world: World, network: str, address: str, *, is_out: bool) -> None:
    """The address that nginx wrote counts, in each of its spellings, and none that a client claims."""
    block(world, network)

    assert refused(world.app(), HTTP_X_FORWARDED_FOR=address) is is_out


def test_a_block_ends_by_itself(world: World) -> None:
    """To the second, though nothing was read again."""
    app = world.app()
    block(world, seconds=60)

    seen = [refused(app)]
    for world.now in (NOW + 59, NOW + 60):
        seen.append(refused(app))

    assert seen == [True, True, False]


def test_the_list_is_read_again_within_a_second(world: World) -> None:
    """A block begins, and ends when it is removed, without a restart."""
    app = world.app()
    assert not refused(app)

    block(world)
    until(lambda: refused(app), "the block holds")
    world.rows.blocks.clear()
    until(lambda: not refused(app), "the block has ended")

    assert refresh.EVERY_SECONDS < 1


class Counted(MemoryBlocks):
    """Blocks that remember how often they were read, and do not answer when they are not to."""

    reads = 0
    answers = True

    def all(self, *, now: int) -> list[Block]:
        self.reads += 1
        if not self.answers:
            raise Unavailable("gone")
        return super().all(now=now)


def test_a_flood_does_not_ask_the_database(blocked: World) -> None:
    """Of many requests in a moment one reads the list."""
    blocks = Counted(blocked.rows)
    app = blocked.app(blocks=blocks)

    assert {refused(app) for _ in range(20)} == {True}
    assert blocks.reads <= 2


@pytest.mark.usefixtures("at_once")
def test_a_database_that_is_away_keeps_the_last_list(blocked: World) -> None:
    """Blocked clients stay blocked, others are answered, and the database is asked again."""
    blocks = Counted(blocked.rows)
    app = blocked.app(blocks=blocks)
    before = refused(app)
    blocked.rows.blocks.clear()

    blocks.answers = False
    while_away = [refused(app), refused(app, HTTP_X_FORWARDED_FOR="198.51.100.1")]
    blocks.answers = True

    assert (before, while_away, refused(app)) == (True, [True, False], False)


@pytest.mark.usefixtures("at_once")
def test_requests_do_not_wait_for_the_list(world: World) -> None:
    """While one request reads it from a slow database, others are answered from the last one."""
    reading, go_on = threading.Event(), threading.Event()

    class Slow(MemoryBlocks):
        def all(self, *, now: int) -> list[Block]:
            reading.set()
            assert go_on.wait(20)
            return super().all(now=now)

    app = world.app(blocks=Slow(world.rows))
    with ThreadPoolExecutor(1) as other:
        slow = other.submit(ask, app)
        assert reading.wait(20)
        meanwhile = ask(app).status
        go_on.set()

    assert (meanwhile, slow.result().status) == (200, 200)


@pytest.mark.usefixtures("at_once")
def test_blocked_requests_are_not_counted_elsewhere(world: World) -> None:
    """A refused request has a metric of its own, is no attempt, and uses up no other limit."""
    app = world.app(outer_limit=OuterLimit(2, "memory://", {}, b"a key"))
    block(world)
    answers: list[Answer] = [post(app, "/", RIGHT) for _ in range(5)]
    exposed = scraped.text(app)
    world.rows.blocks.clear()

    assert {answer.status for answer in answers} == {403}
    assert scraped.total(exposed, "vestibule_throttled_total", scope="block") == 5
    assert scraped.total(exposed, "vestibule_throttled_total") == 5
    assert scraped.total(exposed, "vestibule_sign_in_attempts_total") == 0
    assert post(app, "/", RIGHT).status == 303


def test_another_host_is_refused_before(blocked: World) -> None:
    """A request for another Host is not told that a block holds; https makes no difference."""
    app = blocked.app(public=HTTPS)

    assert (ask(app, HTTP_HOST="evil.test").status, ask(app).status) == (421, 403)
