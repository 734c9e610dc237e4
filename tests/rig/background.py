"""A program that runs while a test does: as the servers' user, in a directory, with its output in a log there."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

from tests.rig.parts import unprivileged
from tests.rig.until import until


@contextmanager
def started(directory: Path, *command: str | Path, answers: Callable[[], bool]) -> Iterator[subprocess.Popen[bytes]]:
    """Yield the process once it answers, and end it. A program that ends at its start fails with its log."""
    path = directory / f"{Path(command[0]).name}.log"
    with path.open("ab") as log:
        process = subprocess.Popen(
            unprivileged(*command), cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )

    def is_ready() -> bool:
        assert process.poll() is None, path.read_text(errors="replace")
        with suppress(OSError, HTTPException):
            return answers()
        return False

    try:
        until(is_ready, f"{command[0]} answers")
        yield process
    finally:
        process.terminate()
        process.wait(20)
