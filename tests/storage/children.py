"""Starting the processes of `child.py`, all at once, and ending them in any case.

They are forked from a server that has imported everything already: four of them start in no time.
"""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

from service.storage.engine import sqlite
from tests.storage import child

PATIENCE_SECONDS = 60
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["pytest", "alembic.command", "psycopg", "redis", "tests.storage.child"])


@dataclass
class Child:
    """A process, and the line to it."""

    process: ForkServerProcess
    line: Connection

    def hear(self) -> Any:  # noqa: ANN401 - whatever it says
        """Return what it says next."""
        assert self.line.poll(PATIENCE_SECONDS), "a child process says nothing"
        return self.line.recv()

    def result(self) -> Any:  # noqa: ANN401
        """Return what its command returned."""
        how, what = self.hear()
        assert how == "done", what
        return what

    def kill(self) -> list[Any]:
        """Kill it in the middle of its work; the answers that were not read yet."""
        self.process.kill()
        self.process.join()
        heard = []
        try:
            while True:
                heard.append(self.line.recv())
        except (EOFError, OSError):
            return heard

    def end(self) -> None:
        """Leave nothing behind."""
        self.process.kill()
        self.process.join()
        self.process.close()
        self.line.close()


@contextmanager
def started(*commands: tuple[Any, ...]) -> Iterator[list[Child]]:
    """Start a process for each command, let them go once all are ready, and kill what is left at the end."""
    children: list[Child] = []
    try:
        children += [_start(command) for command in commands]
        for one in children:
            said = one.hear()
            assert said == "ready", said
        for one in children:
            one.line.send("go")
        yield children
    finally:
        for one in children:
            one.end()


def together(*commands: tuple[Any, ...]) -> list[Any]:
    """Do all commands at the same time; what each returned."""
    with started(*commands) as children:
        return [one.result() for one in children]


def _start(command: tuple[Any, ...]) -> Child:
    ours, theirs = _processes.Pipe()
    process = _processes.Process(target=child.run, args=(theirs, sqlite.SAFE_WAL, *command))
    process.start()
    theirs.close()
    return Child(process, ours)
