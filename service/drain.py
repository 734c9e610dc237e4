"""The end of an instance without a lost request: what gunicorn's master does at SIGTERM.

At first `/readyz` answers 503, connections are not kept, and everything else goes on, for `server.drain`: what passes
requests to this instance learns of its end. Then the listener refuses new connections, and the workers answer those
that it took before (worker.py). Where a second master (USR2) listens on the same socket, that one takes them.
"""

import logging
import mmap
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter

_shared: Final = mmap.mmap(-1, 1)  # by the master and the workers that are forked from it
_log: Final = logging.getLogger("gunicorn.error")


def begin() -> None:
    """Tell the master and its workers that this instance ends."""
    _shared[0] = 1


def is_on() -> bool:
    """Whether this instance was told to end."""
    return bool(_shared[0])


def before_end(server: "Arbiter", seconds: int) -> None:
    """Have SIGTERM begin with a drain of so many seconds. A second SIGTERM ends it at once."""

    def handle_term() -> None:
        server.maybe_promote_master()
        is_alone = server.reexec_pid == server.master_pid == 0
        if is_alone and seconds and not is_on():
            _log.info("draining for %d s: /readyz answers 503 now", seconds)
            begin()
            signal.setitimer(signal.ITIMER_REAL, seconds)
            return
        if is_alone:
            begin()
            _refuse(server.LISTENERS)
        raise StopIteration  # which gunicorn takes for the end

    signal.signal(signal.SIGALRM, lambda *_: server.SIG_QUEUE.put_nowait(signal.SIGTERM))
    server.handle_term = handle_term  # type: ignore[method-assign]


def _refuse(listeners: list[Any]) -> None:
    """Have connections refused from now on. Those in the queue stay: the workers take them."""
    for listener in listeners:
        with suppress(OSError):  # not on every system
            listener.shutdown(socket.SHUT_RD)
