"""Asking a server on this machine: whole requests, and bare bytes on a socket."""

import contextlib
import http.client
import random
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.rig.answer import Answer

PATIENCE_SECONDS: Final = 20
# Below the ports of outgoing connections (ip_local_port_range begins at 32,768, elsewhere at 49,152): a client of
# another test could have one of those by the time that a server wants it.
LOWEST_PORT: Final = 10_000
HIGHEST_PORT: Final = 32_000
_CLAIM_ABOVE: Final = 30_000
_CHANCE: Final = random.SystemRandom()
_CLAIMS: Final[list[socket.socket]] = []  # for as long as this process lives


def ask(
    port: int,
    path: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    source: str = "127.0.0.1",
) -> Answer:
    """Send one request. Header names may be written with underscores; Host is localhost with the port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS, source_address=(source, 0))
    spelled = {"Host": f"localhost:{port}"} | {k.replace("_", "-"): v for k, v in (headers or {}).items()}
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=spelled)
        response = connection.getresponse()
        return Answer(response.status, tuple((k.lower(), v) for k, v in response.getheaders()), response.read())


def ask_socket(path: Path, target: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Send one GET to a unix socket. Header names may be written with underscores."""
    connection = http.client.HTTPConnection("localhost", timeout=PATIENCE_SECONDS)
    with contextlib.closing(connection):
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(PATIENCE_SECONDS)
        connection.sock.connect(str(path))
        connection.request("GET", target, headers={k.replace("_", "-"): v for k, v in (headers or {}).items()})
        response = connection.getresponse()
        return Answer(response.status, tuple((k.lower(), v) for k, v in response.getheaders()), response.read())


def send(port: int, data: bytes) -> bytes:
    """Send bytes and return everything until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused while we were still sending
            connection.sendall(data)
        return received(connection)


def received(connection: socket.socket) -> bytes:
    """Return everything until the other side closes or resets."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def answers(data: bytes) -> list[int]:
    """Return the statuses of all the answers in a stream, in order."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]


def free_port() -> int:
    """Return a port that no program listens on, and that neither the system nor a test beside this one gives away.

    The claim that keeps other test processes from a port is a UDP port far above it: Caddy takes the one of its number.
    """
    while True:
        port = _CHANCE.randrange(LOWEST_PORT, HIGHEST_PORT)
        claim = socket.socket(type=socket.SOCK_DGRAM)
        with socket.socket() as probe, contextlib.suppress(OSError):
            claim.bind(("", port + _CLAIM_ABOVE))
            probe.bind(("", port))
            _CLAIMS.append(claim)
            return port
        claim.close()
