"""The log: one JSON object a line on standard output, from our code and from every library alike.

ASCII with everything else escaped, so that no byte a client sends can start a line or colour a terminal.
A log that cannot be written (disk full, reader gone) stops nobody from signing in or out.
"""

import logging
import os
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, Final, TextIO, cast

import structlog

LONGEST_TEXT: Final = 4000


def _bounded(_logger: object, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep the end of a long text (of a traceback: what went wrong), so that no event fills the disk."""
    for key, value in line.items():
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            line[key] = f"[…]{value[-LONGEST_TEXT:]}"
    return line


_SHARED: list[Any] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    structlog.processors.format_exc_info,
    _bounded,
]
_RENDER = structlog.processors.JSONRenderer(sort_keys=False)


class _Output:
    """Standard output as it is at the moment, for structlog and for logging; a line that it does not take is lost.

    Each line is one write(2) without a lock: whoever holds one waits for the interpreter after the write, and in a
    flood all threads would queue there.
    """

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            output, left = sys.stdout.fileno(), text.encode()
            while left:
                left = left[os.write(output, left) :]

    def flush(self) -> None:
        """Nothing is held back."""

    def msg(self, line: str) -> None:
        self.write(f"{line}\n")

    info = warning = error = critical = msg


def configure_logging() -> None:
    """Send structlog and the standard library's records to standard output as JSON."""
    output = _Output()
    structlog.configure(
        processors=[*_SHARED, _RENDER],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_names: output,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(cast("TextIO", output))  # it calls no more than write and flush
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _RENDER],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
