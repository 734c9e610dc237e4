"""Requests as cheap as they can be sent: bytes made beforehand, on connections that stay open, from one thread.

The generator shares the processors with what it measures, so it reports what it cost itself. Every client has a
loopback address of its own, and so is a network of its own to the service.
"""

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlencode

PATIENCE_SECONDS: Final = 30
_END_OF_HEAD: Final = b"\r\n\r\n"
PROBE: Final = "vestibule_session_probe=1"  # the cookie of a browser that was shown the form
_BROWSER: Final = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en\r\n"
)


def sign_in(port: int, username: str, password: str) -> bytes:
    """Return the form that a browser sends, as bytes on the wire."""
    origin = f"http://localhost:{port}"
    body = urlencode({"username": username, "password": password, "rd": ""})
    head = (
        f"POST / HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: {origin}\r\nSec-Fetch-Site: same-origin\r\n{_BROWSER}"
        f"Cookie: {PROBE}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return f"{head}{body}".encode()


def page(port: int, path: str, cookie: str) -> bytes:
    """Return how a browser that is signed in asks for a page, as bytes on the wire."""
    head = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nSec-Fetch-Site: same-origin\r\nCookie: {cookie}\r\n"
    return f"{head}{_BROWSER}\r\n".encode()


class Client:
    """One browser's connection, from its own address 127.0.x.y; a context manager."""

    def __init__(self, port: int, number: int = 1) -> None:
        self.number = number
        self.port = port
        self._connect()

    def _connect(self) -> None:
        source = f"127.0.{self.number // 250}.{self.number % 250 + 1}"
        self.socket = socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = self._received = self.answer = b""

    def ask(self, request: bytes) -> tuple[int, float]:
        """Send a request; return the answer's status and the seconds until its last byte."""
        began = time.perf_counter()
        self.socket.sendall(request)
        while (status := self.take()) is None:
            pass
        return status, time.perf_counter() - began

    def take(self) -> int | None:
        """Receive once; return the status once the answer is complete. Raises ConnectionError when it breaks off."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("the server closed the connection")
        self._received += part
        head, found, body = self._received.partition(_END_OF_HEAD)
        if not found or not _is_whole(head, body):
            return None
        self._head, self.answer, self._received = head, self._received, b""
        return int(head[9:12])

    @property
    def is_closed(self) -> bool:
        """Whether the last answer said that it closes the connection, as nginx's thousandth answer on one does."""
        return b"\r\nConnection: close\r\n" in self._head

    def reconnect(self) -> None:
        """Open another connection in place of the present one."""
        self.socket.close()
        self._connect()

    @property
    def retry_after(self) -> int:
        """Return how many seconds the last answer asked to wait. Raises AssertionError when it did not."""
        seconds = _number_in(self._head, b"retry-after")
        assert seconds is not None, self._head
        return seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def _is_whole(head: bytes, body: bytes) -> bool:
    """Whether the body has arrived. Our own answers say how long it is; errors that nginx makes come in chunks."""
    length = _number_in(head, b"content-length")
    return body.endswith(b"0\r\n\r\n") if length is None else len(body) >= length


def _number_in(head: bytes, name: bytes) -> int | None:
    """Return the number in a header."""
    _, found, rest = head.lower().partition(b"\r\n" + name + b":")
    return int(rest.partition(b"\r\n")[0]) if found else None


@dataclass
class Load:
    """What came back within the measured seconds, and how many seconds of a processor the generator took itself."""

    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)
    first: dict[int, bytes] = field(default_factory=dict)  # the first answer of each status
    own_cpu_seconds: float = 0.0

    def rate(self, status: int) -> float:
        """Return answers a second. Raises AssertionError when any had another status."""
        assert set(self.statuses) == {status}, f"expected only {status}, got {dict(self.statuses)}"
        return self.statuses[status] / self.seconds


def closed_loop(port: int, requests: Iterator[bytes], *, clients: int, warm_up: float, seconds: float) -> Load:
    """Keep `clients` requests under way; count what is answered in the `seconds` that follow the warm-up."""
    load = Load(seconds)
    opened = [Client(port, number) for number in range(clients)]
    try:
        with selectors.DefaultSelector() as selector:
            for client in opened:
                selector.register(client.socket, selectors.EVENT_READ, client)
                client.socket.sendall(next(requests))
            _exchange(selector, requests, {}, until=time.perf_counter() + warm_up)
            began = time.process_time()
            load.statuses = _exchange(selector, requests, load.first, until=time.perf_counter() + seconds)
            load.own_cpu_seconds = time.process_time() - began
    finally:
        for client in opened:
            client.socket.close()
    return load


def _exchange(
    selector: selectors.BaseSelector, requests: Iterator[bytes], first: dict[int, bytes], *, until: float
) -> Counter[int]:
    answered: Counter[int] = Counter()
    while (left := until - time.perf_counter()) > 0:
        for key, _ in selector.select(left):
            client = key.data
            status = client.take()
            if status is None:
                continue
            answered[status] += 1
            first.setdefault(status, client.answer)
            if client.is_closed:
                selector.unregister(client.socket)
                client.reconnect()
                selector.register(client.socket, selectors.EVENT_READ, client)
            client.socket.sendall(next(requests))
    return answered
