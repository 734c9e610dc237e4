"""Starting the processes of `child.py`, all at once, and ending them whatever happens."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.rig.parts import ROOT, unprivileged


@contextmanager
def started(*commands: tuple[Any, ...], as_nobody: bool = False) -> Iterator[list["subprocess.Popen[str]"]]:
    """Start a process for each command, let them go once all are ready, and kill what is left at the end."""
    children: list[subprocess.Popen[str]] = []
    try:
        children += [_start(command, as_nobody=as_nobody) for command in commands]
        for child in children:
            assert child.stdout
            assert child.stdout.readline() == "ready\n", child.communicate()
        for child in children:
            assert child.stdin
            child.stdin.write("go\n")
            child.stdin.flush()
        yield children
    finally:
        for child in children:
            child.kill()
            child.communicate()


def together(*commands: tuple[Any, ...], as_nobody: bool = False) -> list[Any]:
    """Do all commands at the same time; what each returned."""
    with started(*commands, as_nobody=as_nobody) as children:
        return [_result(child) for child in children]


def _start(command: tuple[Any, ...], *, as_nobody: bool) -> "subprocess.Popen[str]":
    name, *arguments = command
    line = [sys.executable, "-B", "-m", "tests.storage.child", name, *map(json.dumps, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        unprivileged(*line) if as_nobody else line, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )


def _result(child: "subprocess.Popen[str]") -> object:
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    return json.loads(out)
