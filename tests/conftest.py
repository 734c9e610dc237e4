"""What holds for every test: how properties are searched, and that no server outlives a run that is told to end."""

import os
import signal
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import settings

# How often each property is tried is what the search may cost: 100 examples are some seconds in all; `make fuzz` takes
# its time. No deadline: two busy cores say nothing about the code. In CI the same examples, so that red is red again.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))
settings.register_profile("house", max_examples=EXAMPLES, deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("house")


_RANK = {Path(__file__).parent / name: rank for rank, name in enumerate(("stories", "observability", "whole", "edge"))}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what starts browsers and servers, so that in the end no process works alone at something long."""
    items.sort(key=lambda item: _RANK.get(item.path.parent, len(_RANK)))


def pytest_sessionstart() -> None:
    """Let SIGTERM end a run as Ctrl-C does, with every fixture's last part; a second one interrupts none of them.

    A shell has what it starts in the background ignore SIGINT, and the commands that tests start would ignore it, too.
    """
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt
