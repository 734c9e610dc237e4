"""What the unprivileged user meets: tests that run as root hand a question to a child that is nobody."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

NOBODY: Final = 65534
IS_ROOT: Final = os.geteuid() == 0
root_only: Final = pytest.mark.skipif(not IS_ROOT, reason="only root works for other users")


def user() -> int:
    """Return who asks: nobody where we are root, else ourselves."""
    return NOBODY if IS_ROOT else os.geteuid()


def group() -> int:
    """Return the group of who asks."""
    return NOBODY if IS_ROOT else os.getegid()


def give(path: Path) -> None:
    """Let a file or a directory belong to who asks."""
    os.chown(path, user(), group())


def give_to_foreign_group(file: Path) -> None:
    """Give a file to a group that is none of this process; without root, a test of group rights cannot be made."""
    if not IS_ROOT:
        pytest.skip("only root gives a file to a foreign group")
    os.chown(file, -1, 4711)


def asked(question: Callable[[], Any]) -> Callable[[], Any]:
    """Ask in a child process, at once; return what waits for the answer. Both ends speak JSON."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(question, writing)
    os.close(writing)

    def answer() -> Any:  # noqa: ANN401 - whatever was asked
        with os.fdopen(reading, encoding="utf-8") as pipe:
            said = pipe.read()
        os.waitpid(child, 0)
        return json.loads(said)

    return answer


def _answer(question: Callable[[], Any], writing: int) -> None:
    try:
        if IS_ROOT:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        os.write(writing, json.dumps(question()).encode())
    finally:
        os._exit(0)
