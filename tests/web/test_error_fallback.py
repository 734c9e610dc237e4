"""When even the answer to a malfunction fails, the client still gets a 503 (16.5.4)."""

from collections.abc import Iterator
from typing import Final

import pytest
from flask import Flask
from structlog.testing import capture_logs

from service.services import Unavailable
from service.web import errors
from service.web.look import rendering
from tests.rig.memory_store import MemorySessions
from tests.rig.promises import kept
from tests.rig.wire import JSON, ask
from tests.rig.world import World

COOKIE: Final = ("Cookie", f"vestibule_session={'A' * 43}; __Host-vestibule={'A' * 43}")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Capture the log: tracebacks would only clutter the output."""
    with capture_logs():
        yield


class Failing(MemorySessions):
    """A store that raises any exception."""

    error: Exception = RuntimeError("a secret: hunter2")

    def find(self, token_hash: bytes) -> None:  # noqa: ARG002
        raise self.error


def failing(world: World, error: Exception, **changed: object) -> Flask:
    """Return an app whose sessions raise this."""
    store = Failing(world.rows)
    store.error = error
    return world.app(sessions=store, **changed)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("hunter2"),
        KeyError("hunter2"),
        UnicodeEncodeError("utf-8", "hunter2", 0, 1, "x"),
        RecursionError("hunter2"),
        MemoryError("hunter2"),
        OSError(28, "hunter2"),
        TimeoutError("hunter2"),
        Unavailable("hunter2"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_malfunction_is_503(world: World, error: Exception) -> None:
    """Whatever goes wrong inside, the page and the JSON say come back, and nothing of what it was."""
    app = failing(world, error)

    answers = [kept(ask(app, "GET", "/account", headers=[COOKIE, *more])) for more in ([], [JSON])]

    assert [(answer.status, answer.get("Retry-After")) for answer in answers] == [(503, "5")] * 2
    assert answers[1].json["error"] == "unavailable"
    assert [answer for answer in answers if "hunter2" in answer.text] == []


def broken(*_args: object, **_kwargs: object) -> str:
    """Fail where a template should be rendered."""
    raise RuntimeError("hunter2: no template")


@pytest.mark.parametrize("more", [[], [JSON]], ids=["page", "json"])
def test_an_error_page_that_cannot_be_made(
    world: World, monkeypatch: pytest.MonkeyPatch, more: list[tuple[str, str]]
) -> None:
    """The fallback: no detail, the request's id, and when to try again. nginx adds the other headers."""
    monkeypatch.setattr(rendering, "render_template", broken)
    monkeypatch.setattr(errors, "jsonify", broken)

    answer = ask(world.app(), "GET", "/nope", headers=more)

    assert (answer.status, answer.get("Retry-After"), "hunter2" in answer.text) == (503, "5", False)
    assert answer.get("Content-Type") == ("application/json" if more else "text/html; charset=utf-8")
    assert str(answer.get("X-Request-ID")) in answer.text
    assert len(answer.body) == int(str(answer.get("Content-Length")))


def test_a_head_has_no_body_there_either(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """HEAD gets the headers alone."""
    monkeypatch.setattr(rendering, "render_template", broken)

    answer = ask(world.app(), "HEAD", "/nope")

    assert (answer.status, answer.body) == (503, b"")


def test_the_next_request_is_answered_as_ever(world: World) -> None:
    """A malfunction leaves nothing behind: the same app goes on."""
    app = failing(world, RuntimeError("once"))
    ask(app, "GET", "/account", headers=[COOKIE])

    assert kept(ask(app)).status == 200
