"""Keeps gunicorn and nginx running together: starts both, copies nginx's log, and ends both in order.

It stays as long as they do, so it imports little, and nothing of the service.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

Server = subprocess.Popen[bytes]

VESTIBULE: Final = f"{sys.executable.rpartition('/')[0]}/vestibule"
WELCOME: Final = f"{__file__.rpartition('/')[0]}/welcome.py"
STOP_SECONDS: Final = 25  # gunicorn lets requests finish for 20
QUICK_STOP_SECONDS: Final = 4  # gunicorn gives its workers 2, and then removes their counters
ONE_STOP_SECONDS: Final = 1  # `make` sends on the signal that all of its group got: two that come at once are one
NGINX: Final = """
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/opt/homebrew/bin
directory=$("$0" proxy render) || exit
set -- nginx -e stderr -p "$directory/" -c nginx.conf
"$@" -t -q && exec "$@" -g "daemon off;"
"""
# How each server ends: after what it is doing, and at once. nginx first, which then takes no more connections.
ENDS: Final = {"nginx": (signal.SIGQUIT, signal.SIGTERM), "gunicorn": (signal.SIGTERM, signal.SIGQUIT)}
_STOPS: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
_PR_SET_PDEATHSIG: Final = 1


class Events:
    """What to wait for: signals, and lines of nginx's log, which are copied to standard output.

    nginx opens /dev/stdout anew, which it may not where that is another user's terminal or a socket: it gets a pipe. A
    line that standard output does not take at once is lost and counted: neither a full disk nor a reader that stalls
    stops an answer.
    """

    def __init__(self) -> None:
        self.stop_asked_at = 0.0
        self.is_hurried = False
        self._lost, self._rest = 0, b""
        self._signals, woken = os.pipe()
        self._log, self.log_input = os.pipe()
        os.set_blocking(woken, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        for each in (*_STOPS, signal.SIGCHLD):
            signal.signal(each, lambda *_: None)  # the number arrives in the pipe

    def wait(self, until: Callable[[], object], seconds: float = float("inf")) -> None:
        """Return when something is true, or after so many seconds; what nginx logged before is copied then."""
        deadline = time.monotonic() + seconds
        while not until() and time.monotonic() < deadline:
            self._take(1 if seconds < float("inf") else None)
        self._take(0)

    def _take(self, seconds: float | None) -> None:
        ready = select.select([self._signals, self._log], [], [], seconds)[0]
        if self._log in ready:
            *lines, self._rest = (self._rest + os.read(self._log, 65536)).split(b"\n")
            for line in lines:
                self._copy(line)
        if self._signals in ready and _STOPS & {*os.read(self._signals, 64)}:
            now = time.monotonic()
            self.stop_asked_at = self.stop_asked_at or now
            self.is_hurried |= now - self.stop_asked_at > ONE_STOP_SECONDS

    def _copy(self, line: bytes) -> None:
        notice = b'{"event":"log_lines_lost","lines":%d}\n' % self._lost if self._lost else b""
        self._lost += 1
        with suppress(OSError):
            if select.select([], [1], [], 0)[1]:
                os.write(1, b"%b%b\n" % (notice, line))
                self._lost = 0


def main() -> int:
    """Serve until a stop is asked for (0) or a server ends (1)."""
    events, started = Events(), dict[str, Server]()
    try:
        started["gunicorn"] = spawn(VESTIBULE, "serve")
        started["nginx"] = spawn("sh", "-c", NGINX, VESTIBULE, stdout=events.log_input)
        started["welcome"] = spawn(sys.executable, WELCOME)
        events.wait(lambda: events.stop_asked_at or ended(started))
        if why := "" if events.stop_asked_at else ended(started):
            print(f"Stopped: {why}.", file=sys.stderr, flush=True)
        return 1 if why else 0
    finally:
        for name in [name for name in ENDS if name in started]:
            stop(started[name], *ENDS[name], events)


def spawn(*command: str, stdout: int | None = None) -> Server:
    """Start a process in a group of its own: Ctrl-C reaches the supervisor alone, which ends the servers in order."""
    # preexec_fn is safe here: this program has one thread.
    return subprocess.Popen(command, stdout=stdout, preexec_fn=end_with_supervisor, process_group=0)  # noqa: PLW1509


def end_with_supervisor() -> None:
    """In a child, before it becomes a server: ask Linux for a SIGTERM when the supervisor ends, even by `kill -9`."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def ended(started: dict[str, Server]) -> str:
    """Return which servers ended, and how; nothing while both run."""
    codes = {name: process.poll() for name, process in started.items()}
    return ", ".join(f"{name} ended ({codes[name]})" for name in ENDS if codes.get(name) is not None)


def stop(server: Server, gently: signal.Signals, quickly: signal.Signals, events: Events) -> None:
    """End a server and all of its children. A second Ctrl-C hurries."""
    server.send_signal(gently)  # which does nothing when the server has ended
    events.wait(lambda: events.is_hurried or server.poll() is not None, STOP_SECONDS)
    server.send_signal(quickly)
    events.wait(lambda: server.poll() is not None, QUICK_STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


if __name__ == "__main__":
    sys.exit(main())
