"""gunicorn's worker. It listens when it is ready, waits shortly for data, and before it ends empties the queue."""

import contextlib
import errno
import socket
from pathlib import Path
from typing import Any, Final

from gunicorn import sock
from gunicorn.http.message import Request
from gunicorn.workers import gthread

from service import drain

# How long a new connection that says nothing may hold a thread before it waits elsewhere (gunicorn: 5 s). nginx always
# speaks at once. There is no setting for it; tests/edge/test_slow.py fails when it is ignored.
_SILENT_SECONDS: Final = 0.05
_SILENT_AT_END_SECONDS: Final = 5  # there is no other place then
_WORSE_THAN_MASTER: Final = 200  # thousandths of the memory: a new worker has fewer pages of its own than the master


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
        super().run()

    def handle(self, conn: Any) -> Any:  # noqa: ANN401 - gunicorn's connection, and what it makes of it
        """Answer a request, once the connection says something."""
        longest = _SILENT_SECONDS if self.alive else _SILENT_AT_END_SECONDS
        if not (conn.initialized or conn.data_ready or conn.wait_for_data(longest)):
            return gthread._DEFER if self.alive else False  # type: ignore[attr-defined] # noqa: SLF001 - as gunicorn's
        return super().handle(conn)

    def is_parent_alive(self) -> bool:
        """As gunicorn's. Without its master the worker keeps no connection (gunicorn: for as long as it is used)."""
        if super().is_parent_alive():
            return True
        self.alive = False  # never set to True: a signal may come at any moment, and would be forgotten
        return False

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, if there is one."""
        try:
            super().accept(listener)
        except OSError as fault:
            if fault.errno != errno.EINVAL:  # the listener refuses connections, and its queue is empty
                raise

    def set_accept_enabled(self, enabled: bool | None) -> None:  # noqa: FBT001 - gunicorn's
        """As gunicorn's; when the instance ends, take all that is in the queue: the kernel would reset it."""
        super().set_accept_enabled(enabled)
        for listener in self.sockets if drain.is_on() and not self.alive else ():
            before = -1
            while self.nr_conns > before:
                before = self.nr_conns
                self.accept(listener)


def close_while_draining(_worker: gthread.ThreadWorker, request: Request) -> None:
    """Keep no connection while the instance drains: the next request goes to another instance."""
    if drain.is_on():
        request.force_close()


# gunicorn listens before it forks the workers, and requests would wait until they run (2.4 times the 99th percentile of
# checks during an exchange, in place of 1). A socket without a listener refuses them, and nginx asks another instance.
sock.UnixSocket._is_listening = staticmethod(lambda _: True)  # type: ignore[attr-defined] # noqa: SLF001 - no setting
