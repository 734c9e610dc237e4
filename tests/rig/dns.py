"""A DNS server (RFC 1035): it knows names that a test tells it, as 127.0.0.1, and no others (NXDOMAIN)."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_A = 1


def _answer(query: bytes, known: set[str]) -> bytes:
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode())
        at += 1 + length
    question = query[12 : at + 5]
    is_known = ".".join(labels).lower() in known
    has_address = is_known and int.from_bytes(question[-4:-2]) == _A
    flags = b"\x81\x80" if is_known else b"\x81\x83"
    head = query[:2] + flags + b"\0\1" + (b"\0\1" if has_address else b"\0\0") + b"\0\0\0\0"
    record = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton("127.0.0.1")
    return head + question + (record if has_address else b"")


@contextmanager
def dns(known: set[str]) -> Iterator[int]:
    """Serve at a port of 127.0.0.1; `known` may change meanwhile."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as served:
        served.bind(("127.0.0.1", 0))
        port = served.getsockname()[1]

        def serve() -> None:
            while query := served.recvfrom(4096):
                if not query[0]:
                    return
                served.sendto(_answer(query[0], known), query[1])

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield port
        finally:
            served.sendto(b"", ("127.0.0.1", port))
            thread.join()
