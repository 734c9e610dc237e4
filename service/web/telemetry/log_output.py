"""How lines of the log reach standard output, which may be full, closed, or a pipe whose reader stalls.

No line makes its writer wait: it is written, or counted as lost; a line says how many were lost once writing works
again. A write holds whole lines, and at most as much as a pipe takes in one piece, unless a single line is longer.
"""

import os
import select
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Final

WAITING_LINES: Final = 2000
IN_ONE_PIECE: Final = select.PIPE_BUF
PATIENCE_SECONDS: Final = 0.2  # for a reader that is only slow
GATHER_SECONDS: Final = 0.01  # in a flood each wake-up of the thread would interrupt those that answer
END_SECONDS: Final = 2.0

Queue = SimpleQueue[str | None]  # None: no more lines follow


class LogOutput:
    """Standard output; lines wait in a queue for one thread that writes them once `start` was called (in a worker)."""

    def __init__(self, say_lost: Callable[[int], None]) -> None:
        """`say_lost` writes a line that says how many were lost."""
        self.on_loss: Callable[[int], None] = lambda _lines: None
        self._say_lost = say_lost
        self.reset()

    def reset(self) -> None:
        """Begin anew in a forked process: the thread and the lines that wait are its parent's."""
        self._queue: Queue | None = None
        self._thread: threading.Thread | None = None
        self._counting = threading.Lock()
        self._lost = 0
        self._is_torn = False

    def start(self) -> None:
        """Write in a thread of this process from now on. A process that forks must not have one."""
        self._queue = Queue()
        self._thread = threading.Thread(target=self._write_queued, args=[self._queue], name="log", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, as long as the reader takes it; later lines are written at once."""
        queue, self._queue = self._queue, None
        if queue and self._thread:
            queue.put(None)
            self._thread.join(END_SECONDS)

    def write(self, line: str) -> None:
        """Take a line, with its end. No lock: in a flood, threads would wait for the one that holds it."""
        queue = self._queue
        if queue is None:
            self._write(line, PATIENCE_SECONDS)
        elif queue.qsize() < WAITING_LINES:
            queue.put(line)
        else:
            self._lose(1)

    def flush(self) -> None:
        """Do nothing: a line is on its way at once."""

    def _write_queued(self, queue: Queue) -> None:
        """Write what waits in pieces of as many whole lines as fit, until the queue ends."""
        piece, line = "", queue.get()
        while line is not None:
            if piece and len(piece) + len(line) > IN_ONE_PIECE:
                self._write(piece, None)
                piece = ""
            piece += line
            if queue.empty():
                self._write(piece, None)
                piece = ""
                time.sleep(GATHER_SECONDS)
            line = queue.get()
        if piece:
            self._write(piece, None)

    def _write(self, lines: str, patience: float | None) -> None:
        data = lines.encode()
        if self._is_torn:
            self._is_torn = not _put(b"\n", patience)
        written = 0 if self._is_torn else _put(data, patience)
        self._is_torn |= 0 < written < len(data)
        if lost := data.count(b"\n", written):
            self._lose(lost)
        elif self._lost and (self._queue is None or self._queue.empty()):
            with self._counting:
                lost, self._lost = self._lost, 0
            self._say_lost(lost)

    def _lose(self, lines: int) -> None:
        with self._counting:
            self._lost += lines
        self.on_loss(lines)


def _put(data: bytes, patience: float | None) -> int:
    """Return how many bytes standard output took; a pipe is written to when it has room, so nothing waits there."""
    written = 0
    with suppress(OSError, ValueError, AttributeError):  # full, gone, closed, never there
        ready = select.poll()
        ready.register(output := sys.stdout.fileno(), select.POLLOUT)
        while written < len(data) and ready.poll(None if patience is None else patience * 1000):
            written += os.write(output, data[written:])
    return written
