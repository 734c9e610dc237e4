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

_shared: Final = mmap.mmap(-1, 2)  # by the master and the workers that are forked from it
_ENDS, _IS_SHARED = range(2)  # the instance; its socket, by a second master
_QUICK_SECONDS: Final = 2
_log: Final = logging.getLogger("gunicorn.error")


def begin() -> None:
    """Tell the master and its workers that this instance ends."""
    _shared[_ENDS] = 1


def is_on() -> bool:
    """Whether this instance was told to end."""
    return bool(_shared[_ENDS])


def refuse(listeners: list[Any]) -> None:
    """Have connections refused, unless a second master listens. Those in the queue stay: the workers take them."""
    if not _shared[_IS_SHARED]:
        begin()
        for listener in listeners:
            with suppress(OSError):  # not on every system
                listener.shutdown(socket.SHUT_RD)


def before_end(server: "Arbiter", seconds: int) -> None:
    """Have SIGTERM begin with a drain of so many seconds; a second one ends it. SIGINT and SIGQUIT cut requests off."""
    _note_others(server)

    def handle_term() -> None:
        server.maybe_promote_master()
        is_alone = not _shared[_IS_SHARED]
        if is_alone and seconds and not is_on():
            _log.info("draining for %d s: /readyz answers 503 now", seconds)
            begin()
            signal.setitimer(signal.ITIMER_REAL, seconds)
            return
        refuse(server.LISTENERS)
        raise StopIteration  # which gunicorn takes for the end

    def handle_quit() -> None:
        server.cfg.set("graceful_timeout", _QUICK_SECONDS)
        server.stop(graceful=False)
        raise StopIteration

    signal.signal(signal.SIGALRM, lambda *_: server.SIG_QUEUE.put_nowait(signal.SIGTERM))
    server.handle_term = handle_term  # type: ignore[method-assign]
    server.handle_int = server.handle_quit = handle_quit  # type: ignore[method-assign]


def _note_others(server: "Arbiter") -> None:
    """Have this master and its workers know whether another one listens on the same socket."""
    promote = server.maybe_promote_master

    def maybe_promote_master() -> None:  # called once a second
        promote()
        _shared[_IS_SHARED] = bool(server.reexec_pid or server.master_pid)

    def handle_usr2() -> None:
        maybe_promote_master()  # gunicorn would take the first master for alive, and ignore the signal
        server.reexec()

    server.maybe_promote_master = maybe_promote_master  # type: ignore[method-assign]
    server.handle_usr2 = handle_usr2  # type: ignore[method-assign]
    maybe_promote_master()
