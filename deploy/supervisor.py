"""Keeps gunicorn, nginx and the counting of requests running together. It imports little: it runs as long as they."""

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

VESTIBULE: Final = f"{sys.executable.rpartition('/')[0]}/vestibule"
WELCOME: Final = f"{__file__.rpartition('/')[0]}/welcome.py"
NGINX: Final = """
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/opt/homebrew/bin
directory=$("$0" proxy render) || exit
before=$(readlink "$directory/door_cache")
case $before in "${1%-*}"-*) rm -rf "$before" ;; esac
rm -rf "$directory/door_cache"
[ ! -d "$1" ] || ln -s "$1" "$directory/door_cache" || exit
set -- nginx -e stderr -p "$directory/" -c nginx.conf
"$@" -t -q && exec "$@" -g "daemon off;"
"""
# The signals that end a server after its requests, and at once. nginx ends first, and takes no more connections then.
ENDS: Final = {"nginx": (signal.SIGQUIT, signal.SIGTERM), "gunicorn": (signal.SIGTERM, signal.SIGQUIT)}
STOP_SECONDS: Final = 25  # gunicorn lets requests finish for 20
QUICK_STOP_SECONDS: Final = 4  # gunicorn gives its workers 2, and then removes their counters
ONE_STOP_SECONDS: Final = 1  # `make` repeats a signal that its group got: two within this time are one
COUNTS_AGAIN_SECONDS: Final = 5  # a counting process that ended is started again: no answer depends on it
AWAY: Final = (
    "The process that counts nginx's requests ended (%d): /edge/metrics is away until it starts again in %d s."
)
STOPS: Final = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class Events:
    """Signals, and nginx's log, whose lines are copied; a line that standard output does not take at once is lost.

    nginx opens /dev/stdout anew, and may not where that is a terminal of another user or a socket: it gets a pipe.
    """

    def __init__(self) -> None:
        self.stop_asked_at, self.is_hurried, self._lost, self._rest = 0.0, False, 0, b""
        self._signals, woken = os.pipe()
        self._log, self.log_input = os.pipe()
        os.set_blocking(woken, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        for each in (*STOPS, signal.SIGCHLD):
            signal.signal(each, lambda *_: None)  # the number arrives in the pipe

    def wait(self, until: Callable[[], object], seconds: float = float("inf")) -> None:
        """Return when a condition is true, or after some seconds; what nginx logged before is copied by then."""
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
        if self._signals in ready and STOPS & {*os.read(self._signals, 64)}:
            self.stop_asked_at = self.stop_asked_at or time.monotonic()
            self.is_hurried |= time.monotonic() - self.stop_asked_at > ONE_STOP_SECONDS

    def _copy(self, line: bytes) -> None:
        notice = b'{"event":"log_lines_lost","level":"warning","lost":%d}\n' % self._lost if self._lost else b""
        self._lost += 1
        with suppress(OSError):
            if select.select([], [1], [], 0)[1]:
                os.write(1, b"%b%b\n" % (notice, line))
                self._lost = 0


def main() -> str | None:
    """Serve until a signal asks for the stop, or return which server ended by itself."""
    events, started, remembered = Events(), dict[str, subprocess.Popen[bytes]](), make_ram_directory()
    try:
        started["gunicorn"] = spawn(VESTIBULE, "serve")
        started["nginx"] = spawn("sh", "-c", NGINX, VESTIBULE, remembered, stdout=events.log_input)
        started["welcome"] = spawn(sys.executable, WELCOME)
        while not (events.stop_asked_at or ended(started)):
            started["metrics"] = spawn(VESTIBULE, "proxy", "metrics")
            events.wait(lambda: events.stop_asked_at or ended(started) or started["metrics"].poll() is not None)
            if (code := started["metrics"].poll()) is not None:
                print(AWAY % (code, COUNTS_AGAIN_SECONDS), file=sys.stderr, flush=True)
            events.wait(lambda: events.stop_asked_at or ended(started), COUNTS_AGAIN_SECONDS)
        return None if events.stop_asked_at else f"Stopped: {ended(started)}."
    finally:
        for name in sorted(ENDS.keys() & started.keys(), reverse=True):
            stop(started[name], *ENDS[name], events)
        if "metrics" in started:
            stop(started["metrics"], signal.SIGTERM, signal.SIGTERM, events)
        subprocess.run(["rm", "-rf", remembered], check=False)


def make_ram_directory() -> str:
    """Make a directory on the RAM disk for what nginx remembers, tokens included: no disk and no other user sees them.

    All users may write to the RAM disk. mkdir takes no name that is taken, so that no other user made this one.
    """
    path = f"/dev/shm/vestibule-door-{os.geteuid()}-{os.urandom(8).hex()}"  # noqa: S108 - see above
    with suppress(FileNotFoundError, PermissionError):  # no RAM disk: nginx remembers nothing (run.py)
        os.mkdir(path, 0o700)  # noqa: PTH102 - pathlib takes memory
    return path


def spawn(*command: str, stdout: int | None = None) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own: Ctrl-C reaches the supervisor alone, which has one thread (preexec_fn)."""
    return subprocess.Popen(command, stdout=stdout, preexec_fn=end_with_supervisor, process_group=0)  # noqa: PLW1509


def end_with_supervisor() -> None:
    """In a child, before it becomes a server: ask Linux for a SIGTERM when the supervisor ends, even by `kill -9`."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def ended(started: dict[str, subprocess.Popen[bytes]]) -> str:
    """Return which servers ended, with their exit codes; an empty text while both run."""
    codes = {name: process.poll() for name, process in started.items()}
    return ", ".join(f"{name} ended ({codes[name]})" for name in ENDS if codes.get(name) is not None)


def stop(server: subprocess.Popen[bytes], gently: signal.Signals, quickly: signal.Signals, events: Events) -> None:
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
