"""Servers that live and die together: started in groups of their own, watched, ended in order, nobody left behind."""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from service.web.telemetry.log_output import LogOutput

Server = subprocess.Popen[bytes]
Servers = dict[str, Server]

STOP_SECONDS: Final = 25  # gunicorn lets requests finish for 20
_ENDS: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
_PR_SET_PDEATHSIG: Final = 1


class News:
    """Signals as something to wait for: that a child ended, or that somebody says stop."""

    def __init__(self) -> None:
        self.stops_asked_for = 0
        self._reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for each in (*_ENDS, signal.SIGCHLD):
            signal.signal(each, lambda *_: None)  # the number arrives in the pipe

    def wait(self, seconds: float | None = None) -> None:
        """Return at the next signal, or after so many seconds."""
        if select.select([self._reading], [], [], seconds)[0]:
            self.stops_asked_for += sum(number in _ENDS for number in os.read(self._reading, 64))


def spawn(
    command: list[str],
    *,
    stdout: int | None = None,
    environ: Mapping[str, str] | None = None,
) -> Server:
    """Start a process in a group of its own: Ctrl-C reaches us alone, and we end them in order."""
    # preexec_fn is safe here: this program has one thread.
    process = subprocess.Popen(
        command,
        stdout=stdout,
        env=environ,
        preexec_fn=die_with_us,  # noqa: PLW1509
        process_group=0,
    )
    if stdout is not None:
        os.close(stdout)
    return process


def die_with_us() -> None:
    """In a child, before it becomes a server: end when we end, even by `kill -9` (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class LogPipe:
    """A pipe whose lines go to our standard output, whatever becomes of that; nginx is never kept waiting.

    nginx opens /dev/stdout anew, which it may not where that is another user's terminal or a socket. A pipe is ours.
    """

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        self._output = LogOutput(self._say_lost)
        self._thread = threading.Thread(target=self._copy, daemon=True)

    def start(self) -> None:
        """Copy in threads, once all servers are spawned: `preexec_fn` allows none before."""
        self._output.start()
        self._thread.start()

    def finish(self) -> None:
        """Copy the rest. Nothing has the pipe open for writing any more."""
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
            self._output.stop()

    def _copy(self) -> None:
        with os.fdopen(self._reading, encoding="ascii", errors="backslashreplace") as lines:
            for line in lines:
                self._output.write(line)

    def _say_lost(self, lines: int) -> None:
        self._output.write(
            json.dumps({"event": "log_lines_lost", "level": "warning", "of": "nginx", "lost": lines}) + "\n"
        )


def ended(servers: dict[str, Server]) -> str:
    """Return which servers ended, and how; nothing while all of them run."""
    codes = {name: server.poll() for name, server in servers.items()}
    return ", ".join(f"{name} ended ({code})" for name, code in codes.items() if code is not None)


def stop(servers: Servers, news: News) -> None:
    """End all: nginx first, which lets nobody in any more and finishes what is under way. A second Ctrl-C hurries."""
    hurry = news.stops_asked_for + 1
    for name, gently in (("nginx", signal.SIGQUIT), ("gunicorn", signal.SIGTERM)):
        if (server := servers.get(name)) is None:
            continue
        server.send_signal(gently)
        deadline = time.monotonic() + STOP_SECONDS
        while server.poll() is None and news.stops_asked_for < hurry and time.monotonic() < deadline:
            news.wait(1)
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)  # nobody stays behind, not even the children of one that died
        server.wait()
