"""As much of web sockets (RFC 6455) as sends one short message back."""

import base64
import hashlib
import socket
from typing import Final
from wsgiref.types import WSGIEnvironment

_SHORT: Final = 125
_TEXT: Final = 0x81
_HEAD_BYTES, _MASK_BYTES = 2, 4


def is_asked_for(environ: WSGIEnvironment) -> bool:
    """Whether a request asks for a web socket, and the proxy passed both headers on."""
    is_upgrade = "upgrade" in environ.get("HTTP_CONNECTION", "").lower()
    return is_upgrade and environ.get("HTTP_UPGRADE", "").lower() == "websocket"


def acceptance(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    text = environ.get("HTTP_SEC_WEBSOCKET_KEY", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    digest = hashlib.sha1(text.encode("latin-1"), usedforsecurity=False).digest()
    told = base64.b64encode(digest).decode()
    return [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", told)]


def message(connection: socket.socket) -> bytes | None:
    """Return the client's next message; None when that is no short one. Raises OSError."""
    head = _exactly(connection, _HEAD_BYTES)
    length = head[1] & 0x7F if head else _SHORT + 1
    mask = _exactly(connection, _MASK_BYTES) if length <= _SHORT else b""
    data = _exactly(connection, length) if mask else b""
    return bytes(byte ^ mask[place % _MASK_BYTES] for place, byte in enumerate(data)) or None


def frame(message: bytes) -> bytes:
    return bytes([_TEXT, len(message)]) + message


def _exactly(connection: socket.socket, size: int) -> bytes:
    """Return as many bytes, or none when the other side ends before."""
    received = b""
    while len(received) < size and (part := connection.recv(size - len(received))):
        received += part
    return received if len(received) == size else b""
