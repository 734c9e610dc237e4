"""Standard output that is full, closed or not read: nothing waits for it, and what was lost is told."""

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import structlog

from service.web.telemetry.log_output import IN_ONE_PIECE, WAITING_LINES, LogOutput
from service.web.telemetry.logs import OUTPUT
from tests.rig import scraped
from tests.rig.parts import ROOT
from tests.rig.small_disk import fill, small_disk
from tests.rig.until import PATIENCE_SECONDS
from tests.rig.wire import ask, post
from tests.rig.world import World

PIPE_BYTES: Final = 65_536


class Log:
    """An output as the service has one, with what it counted."""

    def __init__(self) -> None:
        self.output = LogOutput(self._say)
        self.output.on_loss = self._count
        self.lost = 0

    def _count(self, lines: int) -> None:
        self.lost += lines

    def _say(self, lines: int) -> None:
        self.output.write(json.dumps({"event": "lost", "lost": lines}) + "\n")

    def write(self, *numbers: int) -> None:
        """Write a line of some length for each number."""
        for number in numbers:
            self.output.write(json.dumps({"number": number, "text": "x" * (number % 600)}) + "\n")


@pytest.fixture
def log() -> Iterator[Log]:
    """A log that writes in the background, as in a worker."""
    made = Log()
    made.output.start()
    yield made
    made.output.stop()


@contextlib.contextmanager
def piped() -> Iterator[int]:
    """Make a pipe the standard output, and yield its reading end."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as output, contextlib.redirect_stdout(output):
        yield reading
    os.close(reading)


def read(pipe: int, is_enough: Callable[[list[dict[str, Any]]], object]) -> list[dict[str, Any]]:
    """Read until the lines are enough."""
    text = bytearray()

    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith(b"\n")]

    while not is_enough(lines()):
        assert select.select([pipe], [], [], PATIENCE_SECONDS)[0], "no more lines come"
        text += os.read(pipe, PIPE_BYTES)
    return lines()


def test_a_stalled_reader_makes_nothing_wait(log: Log) -> None:
    """Lines beyond the queue are lost at once; later the others come whole, in order, and then how many are missing."""
    with piped() as pipe:
        log.write(*range(5 * WAITING_LINES))
        lost_while_stalled = log.lost

        found = read(pipe, lambda lines: lines and lines[-1].get("event") == "lost")

        numbers = [line["number"] for line in found if "number" in line]
        assert lost_while_stalled > 0
        assert found[-1]["lost"] == log.lost == 5 * WAITING_LINES - len(numbers)
        assert numbers == sorted(numbers)


def test_a_master_waits_no_longer_than_its_patience() -> None:
    """Without a thread, too, a full pipe takes no line and blocks no write."""
    with piped() as pipe:
        log = Log()
        for _ in range(PIPE_BYTES // 500 + 2):
            log.write(500)
        before = read(pipe, lambda lines: len(lines) > PIPE_BYTES // 2 // 600)
        log.write(1)

        assert [line for line in before if line.get("number") != 500] == []
        assert read(pipe, lambda lines: lines and lines[-1].get("event") == "lost")[-1]["lost"] == log.lost


def test_a_write_is_whole_lines_of_one_piece(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waited goes out in writes that a pipe takes in one piece, each of whole lines."""
    writes: list[bytes] = []
    write = os.write

    def noted(descriptor: int, data: bytes) -> int:
        writes.append(data)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", noted)
    log.write(*range(300))
    log.output.write("y" * 2 * IN_ONE_PIECE + "\n")
    log.output.stop()

    assert len(writes) < 150
    assert {data[-1:] for data in writes} == {b"\n"}
    assert [len(data) for data in writes if len(data) > IN_ONE_PIECE] == [2 * IN_ONE_PIECE + 1]
    assert b"".join(writes).count(b"\n") == 301


def test_a_full_disk_tears_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of which only the beginning fitted is lost alone: the next one begins on a line of its own."""
    log = Log()
    with small_disk(tmp_path / "disk", kilobytes=64) as disk:
        filling = fill(disk)
        os.truncate(filling, 60 * 1024)
        with (disk / "log").open("a") as output:
            monkeypatch.setattr(sys, "stdout", output)
            log.write(*range(100, 180))
            filling.unlink()
            log.write(1, 2)
        lines = (disk / "log").read_text().splitlines()

    torn = [line for line in lines if not line.endswith("}")]
    whole = [json.loads(line) for line in lines if line.endswith("}")]
    numbers = [line["number"] for line in whole if "number" in line]
    assert len(torn) == 1
    assert (numbers[-2:], log.lost) == ([1, 2], 82 - len(numbers))
    assert [line["lost"] for line in whole if "lost" in line] == [log.lost]


def test_lines_that_wait_are_written_at_the_end(log: Log) -> None:
    """An orderly end loses none."""
    with piped() as pipe:
        log.write(*[1] * 100)
        log.output.stop()

        assert len(read(pipe, lambda lines: len(lines) == 100)) == 100


def test_a_forked_process_repeats_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Lines that wait in a process are not written by its child as well, and the child's come without a thread."""
    OUTPUT.reset()
    OUTPUT.start()
    for number in range(50):
        OUTPUT.write(f"parent {number}\n")
    child = os.fork()
    if child == 0:
        OUTPUT.write("child\n")
        os._exit(0)
    os.waitpid(child, 0)
    OUTPUT.stop()
    OUTPUT.reset()

    assert sorted(capfd.readouterr().out.splitlines()) == sorted(["child", *(f"parent {n}" for n in range(50))])


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("state", ["full", "closed", "none"])
def test_lost_lines_are_counted_and_said(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], state: str
) -> None:
    """The metric has every line that did not get out; the first that gets out again is followed by their number."""
    app = world.app()
    with Path("/dev/full").open("w") as full, monkeypatch.context() as during:
        if state == "closed":
            full.close()
        during.setattr(sys, "stdout", full if state != "none" else None)
        statuses = [post(app, "/", "username=alice&password=x").status, ask(app).status]
    structlog.get_logger().info("first")

    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert statuses == [401, 200]
    assert [(line["event"], line.get("lost")) for line in lines] == [("first", None), ("log_lines_lost", 3)]
    assert scraped.total(scraped.text(app), "vestibule_log_lines_lost_total") == 3


CRASHES: Final = """
import threading
from service.web.telemetry import logs
logs.configure_logging()
logs.write_in_background()
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise RuntimeError("the end")
"""


def test_what_ends_a_thread_or_a_worker_is_in_the_log() -> None:
    """An exception that nothing caught is a line like all others, and standard error, which may stall, gets nothing."""
    done = subprocess.run([sys.executable, "-c", CRASHES], cwd=ROOT, capture_output=True, text=True, check=False)

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["event"], line["exception"].splitlines()[-1]) for line in lines] == [
        ("crash", "ZeroDivisionError: division by zero"),
        ("crash", "RuntimeError: the end"),
    ]
    assert (done.returncode, done.stderr) == (1, "")
