"""`vestibule proxy metrics`: counts what nginx writes about its requests, and answers `/edge/metrics` behind nginx.

The process stays as long as nginx does, so it imports little: the standard library alone, and no settings.
"""

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from service.edge_metrics.request_counts import RequestCounts
from service.edge_metrics.request_file import CHUNK_BYTES, RequestFile
from service.healthcheck import state_dir

REQUESTS = "requests.count"  # both are named in nginx.conf, and lie in the directory that `nginx -p` names
SOCKET = "metrics.sock"
EVERY_SECONDS = 1.0
LONG_SECONDS = 10
UNAVAILABLE = 3
_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"


def main(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Count and answer until SIGTERM; return an exit code. The argument is nginx's directory."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: sys.exit(0))
    try:
        directory = arguments[0] if arguments else f"{state_dir(environ)}/nginx"
        wait_for(f"{directory}/{REQUESTS}")
        os.chdir(directory)  # a path of any length is short from here
        serve()
    except (OSError, ValueError) as fault:
        words = f"Requests are not counted: {fault}. Start this command as the user that runs nginx"
        print(f"{words} (it runs as user {os.geteuid()}).", file=sys.stderr)  # noqa: T201 - a command speaks
    return UNAVAILABLE


def serve() -> None:
    """Count and answer in the current directory, without end. Raises OSError."""
    path = f"{os.getcwd()}/{REQUESTS}"  # noqa: PTH109 - a fault names the whole path
    requests, counts = RequestFile(path), RequestCounts()
    with listening() as listener:
        while True:
            asked = select.select([listener], [], [], EVERY_SECONDS)[0]
            if requests.is_replaced():
                requests.close()
                requests = RequestFile(path)
            for lines in requests.lines():
                counts.add(lines)
            requests.give_back()
            if asked:
                answer(listener, counts.text().encode())


def wait_for(path: str) -> None:
    """Return once nginx has made its file; print a line when that takes long."""
    seconds = 0
    while not os.path.exists(path):  # noqa: PTH110 - pathlib costs memory
        if seconds == LONG_SECONDS:
            words = f"There is no {path} yet: waiting until nginx, started with that directory as -p, makes it."
            print(words, flush=True)  # noqa: T201 - a command speaks
        time.sleep(1)
        seconds += 1


def listening() -> socket.socket:
    """Return the socket that nginx asks; nginx runs as the same user. Raises OSError."""
    with suppress(FileNotFoundError):
        os.unlink(SOCKET)  # noqa: PTH108 - a killed process left it; the file's lock shows that it ended
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    listener.bind(SOCKET)
    os.umask(before)
    listener.listen()
    listener.settimeout(EVERY_SECONDS)
    return listener


def answer(listener: socket.socket, text: bytes) -> None:
    """Answer one request with the counts: nginx alone can connect, and asks for nothing else."""
    with suppress(OSError):
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(EVERY_SECONDS)
            connection.recv(CHUNK_BYTES)
            connection.sendall((_HEAD % len(text)).encode() + text)
