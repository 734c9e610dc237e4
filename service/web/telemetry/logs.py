"""The log: one JSON object a line on standard output, from our code and from every library alike.

ASCII with everything else escaped, so that no byte a client sends can start a line or colour a terminal.
A log that cannot be written (disk full, reader gone or stalled) delays no answer: `log_output.py`.
"""

import atexit
import logging
import os
import sys
import threading
from collections.abc import MutableMapping
from typing import Any, Final, TextIO, cast

import structlog

from service.web.telemetry.log_output import LogOutput

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


class _Output(LogOutput):
    """Standard output for structlog and for logging."""

    def msg(self, line: str) -> None:
        self.write(f"{line}\n")

    info = warning = error = critical = msg


OUTPUT: Final = _Output(lambda lines: structlog.get_logger().warning("log_lines_lost", lost=lines))
os.register_at_fork(after_in_child=OUTPUT.reset)


def configure_logging() -> None:
    """Send structlog and the standard library's records to standard output as JSON."""
    structlog.configure(
        processors=[*_SHARED, _RENDER],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_names: OUTPUT,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(cast("TextIO", OUTPUT))  # it calls no more than write and flush
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _RENDER],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("sqlalchemy.pool").setLevel(logging.WARNING)  # it tells of each pool that a start closes


def write_in_background() -> None:
    """In a worker: have no request wait for the log, and log what ends a thread as well; at the end, write the rest."""
    OUTPUT.start()
    atexit.register(OUTPUT.stop)
    threading.excepthook = lambda raised: _log_crash(raised.exc_type, raised.exc_value, raised.exc_traceback)
    sys.excepthook = _log_crash


def _log_crash(*raised: Any) -> None:
    structlog.get_logger().critical("crash", exc_info=raised)
