"""Waiting for what must come true, without sleeping blindly."""

import time
from collections.abc import Callable
from typing import Final

PATIENCE_SECONDS: Final = 20.0
_LOOK_EVERY_SECONDS: Final = 0.01


def until(is_so: Callable[[], object], what: str) -> None:
    """Return as soon as `is_so()` is true; fail when it does not become so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"did not come true: {what}"
        time.sleep(_LOOK_EVERY_SECONDS)
