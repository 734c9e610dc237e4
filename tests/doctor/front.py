"""A careless proxy in front of nginx, over TLS: it changes the heads of answers that pass it."""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Final, cast

from tests.rig.asking import PATIENCE_SECONDS

_END: Final = b"\r\n\r\n"


class Front(ThreadingTCPServer):
    """Passes each connection on to nginx."""

    daemon_threads = True

    def __init__(self, certificates: Path, nginx: int, edit: Callable[[bytes], bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.nginx, self.edit = nginx, edit
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(certificates / "certificate.pem", certificates / "key.pem")

    def handle_error(self, *_: object) -> None:
        """Report nothing: clients go away."""

    def connected(self) -> ssl.SSLSocket:
        """Return a new connection to nginx."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # in 1.3 a connection is readable while it has only tickets
        plain = socket.create_connection(("127.0.0.1", self.nginx), timeout=PATIENCE_SECONDS)
        return context.wrap_socket(plain, server_hostname="wiki.example.org")


class _Passing(BaseRequestHandler):
    """One thread for both directions: two threads must not share a connection of OpenSSL's."""

    def handle(self) -> None:
        front = cast("Front", self.server)
        with front.context.wrap_socket(self.request, server_side=True) as client, front.connected() as nginx:
            others, head = {client: nginx, nginx: client}, b""
            while True:
                ready = [each for each in others if each.pending()] or select.select(others, [], [])[0]
                for source in ready:
                    if not (part := source.recv(65536)):
                        return
                    if source is nginx and _END not in head:
                        head += part
                        part = front.edit(head) if _END in head else b""
                    others[source].sendall(part)


@contextlib.contextmanager
def front(certificates: Path, nginx: int, edit: Callable[[bytes], bytes]) -> Iterator[int]:
    """Run the proxy; yield its port. `edit` gets and returns the beginning of an answer, its whole head in it."""
    with Front(certificates, nginx, edit) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()
