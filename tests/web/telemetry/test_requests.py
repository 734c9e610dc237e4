"""One line a request, and one when something failed: with the id that nginx shares (OB)."""

import pytest
from flask import Flask

from service.services import Unavailable
from tests.rig.memory_store import MemorySessions
from tests.rig.wire import ask
from tests.rig.world import World
from tests.web.telemetry.conftest import REQUEST_ID, Lines


@pytest.mark.parametrize("target", ["/", "/nope", "/account", "/setup?token=x", "//", "/%ff%00%0a%1b[31m"])
@pytest.mark.parametrize("method", ["GET", "POST", "FOOBAR"])
def test_one_line_a_request(world: World, lines: Lines, method: str, target: str) -> None:
    """Each request is one line with when, who, what and how it ended, under the id that nginx gave it."""
    answer = ask(world.app(), method, target, headers=[("X-Request-ID", REQUEST_ID)])

    requests = [line for line in lines() if line["event"] == "request"]
    assert len(requests) == 1
    assert requests[0].keys() == {
        *(
            "event",
            "level",
            "time",
            "request_id",
            "client",
            "method",
            "path",
            "rule",
            "status",
            "duration_ms",
            "account",
        )
    }
    assert (requests[0]["request_id"], answer.get("X-Request-ID")) == (REQUEST_ID, REQUEST_ID)
    assert (requests[0]["status"], requests[0]["client"]) == (answer.status, "192.0.2.7")
    assert requests[0]["time"].endswith("Z")


@pytest.mark.parametrize(
    "claimed", ["", "x", "A" * 32, "0" * 33, "\xff" * 32, f"{REQUEST_ID}\n", f"{REQUEST_ID},{REQUEST_ID}"]
)
def test_an_id_that_nginx_did_not_make_is_replaced(world: World, lines: Lines, claimed: str) -> None:
    """Anything but 32 hex digits is not taken over; answer and log share one of our own."""
    answer = ask(world.app(), headers=[("X-Request-ID", claimed)])

    assert answer.get("X-Request-ID") != claimed
    assert [line["request_id"] for line in lines()] == [answer.get("X-Request-ID")]


@pytest.mark.parametrize(
    "target",
    ["/setup%3Ftoken=CANARY", "/setup&token", "/setup%20CANARY", "/setup;CANARY", "/setup%23CANARY", "/setup/CANARY"],
)
def test_a_mangled_link_is_not_written_down(world: World, lines: Lines, target: str) -> None:
    """A path that looks like a query that lost its way is withheld: it may hold a token."""
    ask(world.app(), "GET", target)

    (line,) = lines()
    assert line["path"] == "(withheld)"


def test_probes_are_not_logged(world: World, lines: Lines) -> None:
    """A line for each scrape would be most of the log."""
    for path in ("/metrics", "/healthz", "/readyz"):
        ask(world.app(), "GET", path)

    assert lines() == []


class Failing(MemorySessions):
    """A store that fails with an unexpected exception, with a secret in what it says."""

    def find(self, token_hash: bytes) -> None:  # noqa: ARG002
        raise RuntimeError("x" * 100_000)


class Away(MemorySessions):
    """A store that cannot be reached."""

    def find(self, token_hash: bytes) -> None:  # noqa: ARG002
        raise Unavailable("the database is locked")


def asked_with_a_cookie(world: World, store: type[MemorySessions]) -> Flask:
    """Ask a page that needs a session of an app with this store."""
    app = world.app(sessions=store(world.rows))
    answer = ask(
        app, "GET", "/account", headers=[("Cookie", f"vestibule_session={'A' * 43}"), ("X-Request-ID", REQUEST_ID)]
    )
    assert (answer.status, "RuntimeError" in answer.text, "locked" in answer.text) == (503, False, False)
    return app


@pytest.mark.parametrize(("store", "event"), [(Failing, "malfunction"), (Away, "store_unavailable")])
def test_a_failure_is_told_once_and_only_here(
    world: World, lines: Lines, store: type[MemorySessions], event: str
) -> None:
    """One line says what happened, beside the request's own and under its id; the page has the id alone (OB-09)."""
    asked_with_a_cookie(world, store)

    assert [(line["event"], line["request_id"]) for line in lines()] == [(event, REQUEST_ID), ("request", REQUEST_ID)]
