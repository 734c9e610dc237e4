"""gunicorn's worker. It listens when it is ready, waits shortly for data, and before it ends empties the queue.

What is short for a moment (memory, processes, threads, descriptors) ends neither a worker nor the master of others.
"""

import contextlib
import errno
import logging
import mmap
import os
import resource
import select
import socket
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gunicorn import sock
from gunicorn.errors import HaltServer
from gunicorn.http.message import Request
from gunicorn.workers import gthread

from service import drain

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter

# How long a new connection that says nothing may hold a thread before it waits elsewhere (gunicorn: 5 s). nginx always
# speaks at once. There is no setting for it; tests/edge/test_slow.py fails when it is ignored.
_SILENT_SECONDS: Final = 0.05
_SILENT_AT_END_SECONDS: Final = 5  # there is no other place then
_WORSE_THAN_MASTER: Final = 200  # thousandths of the memory: a new worker has fewer pages of its own than the master
_AGAIN_SECONDS: Final = 1.0
_log: Final = logging.getLogger("gunicorn.error")
_serves: Final = mmap.mmap(-1, 1)  # whether a worker of this master has served


class _Threads(ThreadPoolExecutor):
    """The threads of a worker. Where no further one can be started, those that there are do the work."""

    def _adjust_thread_count(self) -> None:
        with contextlib.suppress(*([RuntimeError] if self._threads else [])):
            super()._adjust_thread_count()


class Worker(gthread.ThreadWorker):
    """A worker of gunicorn's."""

    def init_process(self) -> None:
        """As gunicorn's. Where memory is short, the kernel ends a worker first: the master replaces it."""
        with contextlib.suppress(OSError):
            score = Path("/proc/self/oom_score_adj")
            score.write_text(str(min(int(score.read_text()) + _WORSE_THAN_MASTER, 1000)))
        super().init_process()

    def run(self) -> None:
        """Listen, and serve."""
        for each in self.sockets:
            each.listen(self.cfg.backlog)
        _serves[0] = 1
        super().run()

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Return the threads that answer."""
        return _Threads(self.cfg.threads)

    def handle(self, conn: Any) -> Any:  # noqa: ANN401 - gunicorn's connection, and what it makes of it
        """Answer a request, once the connection says something."""
        is_ending = not self.alive
        conn.data_ready = (
            conn.initialized
            or conn.data_ready
            or _speaks(conn.sock, _SILENT_AT_END_SECONDS if is_ending else _SILENT_SECONDS)
        )
        if not conn.data_ready:
            return False if is_ending else gthread._DEFER  # type: ignore[attr-defined] # noqa: SLF001 - as gunicorn's
        return super().handle(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:  # noqa: ANN401 - see above
        """As gunicorn's, which closes a connection that said nothing yet when the stop came: it is waited for."""
        is_silent = not fs.exception() and fs.result() is gthread._DEFER  # type: ignore[attr-defined] # noqa: SLF001
        if is_silent and not self.alive:
            self.enqueue_req(conn)
        else:
            super().finish_request(conn, fs)

    def is_parent_alive(self) -> bool:
        """As gunicorn's. Without its master the worker keeps no connection (gunicorn: for as long as it is used)."""
        if super().is_parent_alive():
            return True
        self.alive = False  # never set to True: a signal may come at any moment, and would be forgotten
        drain.refuse(self.sockets)
        return False

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, if there is one. Without a descriptor for it, it waits until half of the others ended."""
        try:
            super().accept(listener)
        except OSError as fault:
            if fault.errno in {errno.EMFILE, errno.ENFILE}:  # gunicorn's worker would end, with all of its requests
                self.worker_connections = max(self.nr_conns // 2, 1)
            elif fault.errno != errno.EINVAL:  # the listener refuses connections, and its queue is empty
                raise

    def set_accept_enabled(self, enabled: bool | None) -> None:  # noqa: FBT001 - gunicorn's
        """As gunicorn's; when the instance ends, take all that is in the queue: the kernel would reset it."""
        super().set_accept_enabled(enabled)
        for listener in self.sockets if drain.is_on() and not self.alive else ():
            before = -1
            while self.nr_conns > before:
                before = self.nr_conns
                self.accept(listener)


def _speaks(connection: socket.socket, seconds: float) -> bool:
    """Wait for data, without the descriptor that gunicorn opens for it."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def keep_serving(server: "Arbiter") -> None:
    """Have the workers that serve go on where no other worker or master starts, which is tried again.

    gunicorn takes a fork that fails, and a worker that cannot begin, for a fault of the start, and ends all. A second
    master (USR2) that cannot be run would end the workers of the first.
    """

    def kept(start: Callable[[], object]) -> Callable[[], None]:
        def tried() -> None:
            try:
                start()
            except (OSError, HaltServer) as fault:
                if not (server.WORKERS and _serves[0]):
                    raise
                why = getattr(fault, "reason", fault)
                _log.warning("no other process can be started, and those that serve go on: %s", why)
                if os.getpid() != server.pid:
                    os._exit(1)
                time.sleep(_AGAIN_SECONDS)

        return tried

    for name in ("spawn_worker", "reap_workers", "reexec"):
        setattr(server, name, kept(getattr(server, name)))
    wanted, (given, highest) = 2 * server.cfg.worker_connections, resource.getrlimit(resource.RLIMIT_NOFILE)
    if given < wanted:
        with contextlib.suppress(ValueError, OSError):  # above the highest: workers take what there is
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, highest))


def close_while_draining(_worker: gthread.ThreadWorker, request: Request) -> None:
    """Keep no connection while the instance drains: the next request goes to another instance."""
    if drain.is_on():
        request.force_close()


# gunicorn listens before it forks the workers, and requests would wait until they run (2.4 times the 99th percentile of
# checks during an exchange, in place of 1). A socket without a listener refuses them, and nginx asks another instance.
sock.UnixSocket._is_listening = staticmethod(lambda _: True)  # type: ignore[attr-defined] # noqa: SLF001 - no setting


def _close_sockets(listeners: Iterable[socket.socket], unlink: bool = True) -> None:  # noqa: FBT001, FBT002 - gunicorn's
    """As gunicorn's, whose master would end without its workers where the socket's file was removed before."""
    with contextlib.suppress(FileNotFoundError):
        _gunicorns_close(listeners, unlink)


_gunicorns_close: Final = sock.close_sockets
sock.close_sockets = _close_sockets
