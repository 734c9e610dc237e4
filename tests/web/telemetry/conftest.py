"""The log as it is in production, line by line."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from service.web.telemetry import events, logs

Lines = Callable[[], list[dict[str, Any]]]
REQUEST_ID = "0123456789abcdef" * 2


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Log as in production, to whatever standard output is."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(events, "_log", structlog.get_logger())
    logs.OUTPUT.reset()  # lines that an earlier test lost are no lines of this one
    logs.configure_logging()
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def lines(served: None, capfd: pytest.CaptureFixture[str]) -> Lines:  # noqa: ARG001 - the log is set up
    """Return what was written since the last look, each line as the object that it is."""
    return lambda: [json.loads(line) for line in capfd.readouterr().out.splitlines()]
