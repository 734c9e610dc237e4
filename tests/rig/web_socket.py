"""Web sockets (RFC 6455) as far as tests need them: text messages below 64 kB, in one frame each.

with connected(port, "/live", {"Host": "wiki.example.org", "Cookie": …}) as messages:
    assert messages.echo(b"hello") == b"hello"
"""

import base64
import hashlib
import http.client
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from tests.rig.asking import PATIENCE_SECONDS

KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="
_TEXT, _CLOSE = 0x81, 0x88
_LONG: Final = 126


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """Return as many bytes; fewer only at the end."""


def accepted(key: str) -> str:
    """Return what a server answers to a client's key."""
    told = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode(), usedforsecurity=False).digest()
    return base64.b64encode(told).decode()


def frame(message: bytes, *, masked: bool = False) -> bytes:
    """Return a message as a server sends it; masked, with a key of zeros, as a client does."""
    mask, length = 0x80 if masked else 0, len(message)
    head = bytes([length | mask]) if length < _LONG else bytes([_LONG | mask]) + length.to_bytes(2)
    return bytes([_TEXT]) + head + (bytes(4) if masked else b"") + message


def received(stream: Readable) -> bytes | None:
    """Read a message from either side; None when that side is done."""
    head = stream.read(2)
    if len(head) < 2 or head[0] == _CLOSE:
        return None
    length = head[1] & 0x7F
    if length == _LONG:
        length = int.from_bytes(stream.read(2))
    mask = stream.read(4) if head[1] & 0x80 else bytes(4)
    return bytes(byte ^ mask[place % 4] for place, byte in enumerate(stream.read(length)))


@dataclass(frozen=True)
class Messages:
    """A client's open web socket."""

    connection: socket.socket
    stream: Readable

    def echo(self, message: bytes) -> bytes | None:
        """Send a message and return the next one; None when the server closed."""
        self.connection.sendall(frame(message, masked=True))
        return received(self.stream)


@contextmanager
def connected(
    port: int, path: str, headers: Mapping[str, str], wrapped: Callable[[socket.socket], socket.socket] = lambda it: it
) -> Iterator[Messages]:
    """Open a web socket, inside TLS where `wrapped` does that. Any other answer than 101 fails."""
    asked = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY}
    with wrapped(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)) as connection:
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in (asked | dict(headers)).items())]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        stream = connection.makefile("rb")
        status = stream.readline()
        told = http.client.parse_headers(stream)
        assert b" 101 " in status, (status, told.items())
        assert told["Sec-WebSocket-Accept"] == accepted(KEY)
        yield Messages(connection, stream)
