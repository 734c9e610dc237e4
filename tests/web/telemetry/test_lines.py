"""Lines by themselves: ASCII, of one piece, bounded, and never in the way of what they tell (OB-04, OB-07)."""

import json
import logging
import sys
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from service.web.telemetry import logs
from tests.rig.passwords import PASSWORD
from tests.rig.promises import kept
from tests.rig.wire import ask, post
from tests.rig.world import World
from tests.web.telemetry.conftest import Lines

LONGEST_REQUEST = 3000
LONGEST_FAILURE = 7 * logs.LONGEST_TEXT
HOSTILE = '\x1b[2J\r\n{"event":"forged"}\x00\u2028\u202e"\\' + "\xff" * 50


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("header", ["User-Agent", "X-Request-ID", "X-Forwarded-For", "Cookie", "Origin", "Referer"])
def test_no_byte_of_a_client_starts_a_line(world: World, capfd: pytest.CaptureFixture[str], header: str) -> None:
    """Control characters, line ends and quotes arrive escaped, in lines of printable ASCII that are all ours."""
    sent = HOSTILE.encode().decode("latin-1")
    app = world.app()
    for method in ("GET", "POST"):
        ask(app, method, "/a%0d%0a%1b[31m%00%ff%e2%80%a8", headers=[(header, sent), ("Sec-Fetch-Site", "\x1b\n")])
        ask(app, method, "/", headers=[(header, sent)], HTTP_HOST=sent)
    written = capfd.readouterr().out.splitlines()

    assert [line for line in written if not (line.isascii() and line.isprintable())] == []
    assert {json.loads(line)["event"] for line in written} == {"request", "malicious_csrf", "wrong_host"}


@pytest.mark.usefixtures("served")
def test_a_line_is_bounded(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    """However long a path, a header, a name or a host is, no event fills the disk."""
    app, long = world.app(), "%F0%9F%98%80" * 5000
    names = ["User-Agent", "X-Request-ID", "X-Forwarded-For", "Cookie", "Origin", "Referer", "Accept", "Sec-Fetch-Site"]
    for name in names:
        ask(app, "POST", f"/{long}?{long}", headers=[(name, "\xff" * 10_000)])
        ask(app, "GET", "/", headers=[(name, "\xff" * 10_000)], HTTP_HOST="\xff" * 10_000)
    post(app, "/", f"username={'a' * 16_000}")
    longest = max(map(len, capfd.readouterr().out.splitlines()))

    assert longest < LONGEST_REQUEST


@given(st.text())
def test_any_text_is_one_line(text: str) -> None:
    """Whatever is logged, lone surrogates too, comes out as one line of ASCII that reads back."""
    line = logs._RENDER(None, "info", {"event": text})

    assert isinstance(line, str)
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line)["event"] == text


def test_a_failure_keeps_its_end(lines: Lines) -> None:
    """Of a long traceback the last part is kept, where it says what went wrong."""
    structlog.get_logger().error("malfunction", exc_info=RuntimeError("x" * 100_000 + "the end"))

    line = lines()[0]
    assert line["exception"].endswith("the end")
    assert len(json.dumps(line)) < LONGEST_FAILURE


def test_libraries_log_alike(lines: Lines) -> None:
    """What a library says through the standard library's logging is a line of the same form."""
    logging.getLogger("some.library").warning("two\nlines of %s", "it")
    logging.getLogger("some.library").debug("not this")

    found = lines()
    assert [(line["event"], line["level"]) for line in found] == [("two\nlines of it", "warning")]
    assert found[0]["time"].endswith("Z")


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("state", ["full", "closed"])
def test_a_log_that_cannot_be_written_stops_nobody(world: World, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """With the disk full or the reader gone people sign in, are refused and see errors as ever (F-04)."""
    with Path("/dev/full").open("w") as output:
        if state == "closed":
            output.close()
        monkeypatch.setattr(sys, "stdout", output)
        app = world.app()

        sent = [post(app, "/", f"username=alice&password={typed}") for typed in (PASSWORD.replace(" ", "+"), "x")]
        statuses = [kept(answer).status for answer in [*sent, ask(app, "GET", "/nope")]]

    assert statuses == [303, 401, 404]
