"""HAProxy of the tests' own: one port, as the name of a store, that leads to a server now and to another one later."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rig.asking import free_port, received
from tests.rig.background import started
from tests.rig.directories import server_directory
from tests.rig.parts import need

_CONFIGURATION = """
global
    stats socket {place}/admin level admin
defaults
    mode tcp
    timeout connect 1s
    timeout client 1h
    timeout server 1h
    retries 0
listen store
    bind 127.0.0.1:{port}
    server current 127.0.0.1:{to}
"""


class Haproxy:
    """What takes connections at `port` and passes them to the server's port that it was told last."""

    def __init__(self, place: Path, port: int) -> None:
        self._place = place
        self.port = port

    def address(self, address: str) -> str:
        """Return the address of a store by this name: the user and the database stay those of the store's own."""
        login, _, rest = address.partition("@")
        if address.startswith("postgresql"):
            return f"{login}@127.0.0.1:{self.port}/{rest.partition('/')[2].partition('?')[0]}"
        return f"redis://127.0.0.1:{self.port}/0"

    def move(self, to: int, *, cut: bool = False) -> None:
        """Lead new connections to another port; those that are open stay where they are, or are cut."""
        self._told(f"set server store/current addr 127.0.0.1 port {to}")
        if cut:
            self._told("shutdown sessions server store/current")

    def is_up(self) -> bool:
        """Whether it takes orders."""
        return b"store" in self._told("show servers state")

    def _told(self, what: str) -> bytes:
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self._place / "admin"))
            admin.sendall(what.encode() + b"\n")
            return received(admin)


@contextmanager
def leading_to(port: int) -> Iterator[Haproxy]:
    """Run HAProxy for as long as the block lasts; it leads to a port of this machine until it is moved."""
    with server_directory("haproxy") as place:
        proxy = Haproxy(place, free_port())
        configuration = place / "haproxy.cfg"
        configuration.write_text(_CONFIGURATION.format(place=place, port=proxy.port, to=port))
        with started(place, need("haproxy"), "-db", "-f", configuration, answers=proxy.is_up):
            yield proxy
