"""`make run` whose standard output takes nothing: it starts, serves and ends as ever."""

import contextlib
import http.client
import json
import os
import signal
import threading
from collections.abc import Iterator
from typing import Final

from tests.rig.asking import ask, free_port
from tests.rig.make_run import Run, end, run
from tests.rig.servers import state_directory
from tests.rig.until import until

REQUESTS: Final = 400  # nginx's and the service's lines about them are some times what a pipe holds


def serves(it: Run) -> bool:
    """Whether the service is ready."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        return ask(it.ops_port, "/readyz").status == 200
    return False


def statuses(it: Run) -> set[int]:
    """Ask many times."""
    return {ask(it.port, f"/nothing-{number}").status for number in range(REQUESTS)}


def accounted_for(lines: list[str]) -> int:
    """Return how many lines about requests are there, and how many lines are said to be lost."""
    lost = [json.loads(line).get("lost", 0) for line in list(lines) if "log_lines_lost" in line]
    return sum("/nothing-" in line for line in list(lines)) + sum(map(int, lost))


@contextlib.contextmanager
def writing_to(stdout: int) -> Iterator[Run]:
    """Start with this standard output."""
    with state_directory() as state_dir, run(state_dir, free_port(), free_port(), stdout=stdout) as it:
        os.close(stdout)
        yield it


def test_a_full_disk_or_a_reader_that_ended_stops_nothing() -> None:
    """With a log that cannot be written from the start to the end, every request is answered."""
    reading, closed = os.pipe()
    os.close(reading)
    for stdout in (os.open("/dev/full", os.O_WRONLY), closed):
        with writing_to(stdout) as it:
            until(lambda: serves(it), "the service is ready")
            assert statuses(it) == {404}
            end(it, signal.SIGTERM)


def test_a_reader_that_stalls_holds_nothing_up() -> None:
    """While nothing reads the log every request is answered; each line is read later, or counted as lost."""
    reading, writing = os.pipe()
    found: list[str] = []

    def read() -> None:
        with os.fdopen(reading) as log:
            found.extend(log)

    with writing_to(writing) as it:
        until(lambda: serves(it), "the service is ready")
        assert statuses(it) == {404}
        reader = threading.Thread(target=read)
        reader.start()
        until(
            lambda: ask(it.port, "/").status == 200 and accounted_for(found) >= 2 * REQUESTS,
            "every line is there, or counted as lost in a line that follows",
        )
        end(it, signal.SIGTERM)
        reader.join()

    assert any("Shutting down: Master" in line for line in found)


def test_it_ends_while_nothing_reads_its_log() -> None:
    """A stop waits for no reader."""
    reading, writing = os.pipe()
    with writing_to(writing) as it:
        until(lambda: serves(it), "the service is ready")
        assert statuses(it) == {404}
        end(it, signal.SIGTERM)
    os.close(reading)
