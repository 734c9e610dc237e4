"""An app for tests of proxies: it answers what reached it, and speaks web sockets. Standard library only.

    with echo_app() as app:
        ask(app.port, "/any/path?status=404")

Any method at any path gets 200 and JSON: {"method", "path", "headers": [[name, value], …], "body_bytes",
"body_sha256"}. The query asks for more: `status=404`, `type=text/html`, `header=Name:value` (repeated: each one),
`bytes=N` (a download of N bytes with an ETag, which heeds Range and If-None-Match), `stream=N` (N chunks, one each
100 ms). With `Upgrade: websocket` each message comes back; the message `request` brings the JSON above.
"""

import contextlib
import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.rig import web_socket
from tests.rig.asking import ask, free_port
from tests.rig.parts import ROOT, unprivileged
from tests.rig.until import until

SEEN: Final = "/.echo/seen"  # answers how many other requests reached the app
SENT: Final = "/.echo/sent"  # answers how many bytes of downloads it has sent
_BLOCK: Final = bytes(range(256)) * 256
_ETAG: Final = '"echo"'


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    seen = 0
    sent = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a method of the base class looks up do_PROPFIND and the like
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _answer(self) -> None:
        if self.path in {SEEN, SENT}:
            self._send(200, json.dumps(Handler.seen if self.path == SEEN else Handler.sent).encode())
            return
        Handler.seen += 1
        said = json.dumps(self._request()).encode()
        wanted = {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self._echo_messages(said)
        elif "stream" in wanted:
            self._stream(int(wanted["stream"]))
        elif "bytes" in wanted:
            self._download(int(wanted["bytes"]))
        else:
            self._send(int(wanted.get("status", 200)), said, wanted.get("type", "application/json"))

    def _request(self) -> dict[str, object]:
        digest, length = hashlib.sha256(), 0
        for part in self._body():
            digest.update(part)
            length += len(part)
        return {
            "method": self.command,
            "path": self.path,
            "headers": [[name, value] for name, value in self.headers.raw_items()],
            "body_bytes": length,
            "body_sha256": digest.hexdigest(),
        }

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        left = int(self.headers.get("Content-Length", 0))
        while left and (part := self.rfile.read(min(left, 65536))):
            left -= len(part)
            yield part

    def _send(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        has_body = status not in {204, 304}
        self._head(status, {"Content-Type": content_type} | ({"Content-Length": str(len(body))} if has_body else {}))
        if has_body and self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        asked = (each.partition(":") for each in parse_qs(urlsplit(self.path).query).get("header", []))
        for name, value in (*headers.items(), *((name, value) for name, _, value in asked)):
            self.send_header(name, value)
        self.end_headers()

    def _download(self, size: int) -> None:
        if self.headers.get("If-None-Match") == _ETAG:
            self._head(304, {"ETag": _ETAG})
            return
        first, last = 0, size - 1
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked:
            first, last = int(asked[1]), min(int(asked[2] or last), last)
        told = {"Content-Range": f"bytes {first}-{last}/{size}"} if asked else {}
        length = last - first + 1
        self._head(
            206 if asked else 200, told | {"Content-Length": str(length), "ETag": _ETAG, "Accept-Ranges": "bytes"}
        )
        while length and self.command != "HEAD":
            part = _BLOCK[first % 256 :][: min(length, 32768)]
            first, length = first + len(part), length - len(part)
            self.wfile.write(part)
            Handler.sent += len(part)

    def _stream(self, chunks: int) -> None:
        self._head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})
        for number in range(chunks):
            data = b"data: %d\n\n" % number
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
            time.sleep(0.1)  # what the stream is for: nothing waits for it
        self.wfile.write(b"0\r\n\r\n")

    def _echo_messages(self, said: bytes) -> None:
        accepted = web_socket.accepted(self.headers["Sec-WebSocket-Key"])
        self._head(101, {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accepted})
        self.close_connection = True
        while (message := web_socket.received(self.rfile)) is not None:
            self.wfile.write(web_socket.frame(said if message == b"request" else message))


class Server(ThreadingHTTPServer):
    """A thread for each connection; clients that go away are no fault."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Report nothing."""


@dataclass(frozen=True)
class EchoApp:
    """A running app."""

    port: int

    @property
    def upstream(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self.port}"

    def seen(self) -> int:
        """Return how many requests have reached the app."""
        return int(ask(self.port, SEEN).json)

    def sent(self) -> int:
        """Return how many bytes of downloads it has sent."""
        return int(ask(self.port, SENT).json)


@contextlib.contextmanager
def echo_app(port: int = 0) -> Iterator[EchoApp]:
    """Start an app in a process of its own, on this port or a free one, and end it."""
    app = EchoApp(port or free_port())
    command = unprivileged(sys.executable, "-m", "tests.rig.echo_app", str(app.port))
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)
    try:
        until(lambda: _listens(app) or process.poll() is not None, "the echo app listens")
        assert process.poll() is None, "the echo app ended"
        yield app
    finally:
        process.kill()
        process.wait()


def _listens(app: EchoApp) -> bool:
    with contextlib.suppress(OSError):
        return app.seen() >= 0
    return False


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
