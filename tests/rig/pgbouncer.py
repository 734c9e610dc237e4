"""A PgBouncer of the tests' own in front of their PostgreSQL: on a socket, with fewer connections than its clients."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from tests.rig.directories import server_directory
from tests.rig.parts import need, unprivileged
from tests.rig.postgres import Postgres
from tests.rig.until import until

PORT = 6432
POOL_SIZE = 3
_CONFIGURATION = """
[databases]
* = host={host} port={server_port}
[pgbouncer]
listen_port = {port}
unix_socket_dir = {place}
auth_type = trust
auth_file = {place}/users
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 400
"""


class PgBouncer:
    """One pooler. It leads to every database of the server under the database's own name."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, server: Postgres) -> None:
        """Start, and wait until it leads to the server."""
        command = unprivileged(need("pgbouncer"), "--quiet", self._place / "pgbouncer.ini")
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: self.answers(server.address_of("postgres")), "PgBouncer answers")

    def stop(self) -> None:
        """Stop, if it runs; all connections through it break."""
        if self._process:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def to(self, address: str) -> str:
        """Return the address under which the pooler leads to a database of the server."""
        return f"{address.partition('?')[0]}?host={quote(str(self._place))}&port={PORT}"

    def answers(self, address: str) -> bool:
        """Whether a client gets through to the database."""
        try:
            psycopg.connect(self.to(address)).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def pooling(server: Postgres, mode: str, *, through: int | None = None) -> Iterator[PgBouncer]:
    """Run PgBouncer in one of its pool modes for as long as the block lasts; it reaches the server `through` a port."""
    with server_directory("pgbouncer") as place:
        configuration = place / "pgbouncer.ini"
        configuration.write_text(
            _CONFIGURATION.format(
                host="127.0.0.1" if through else server.directory,
                server_port=through or server.port,
                place=place,
                port=PORT,
                mode=mode,
                size=POOL_SIZE,
            )
        )
        (place / "users").write_text('"vestibule" ""\n')
        pooler = PgBouncer(place)
        try:
            pooler.start(server)
            yield pooler
        finally:
            pooler.stop()


@pytest.fixture(scope="session")
def pgbouncer(postgres: Postgres) -> Iterator[PgBouncer]:
    """A PgBouncer in transaction mode for the whole run."""
    with pooling(postgres, "transaction") as pooler:
        yield pooler
