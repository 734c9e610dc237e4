"""A PostgreSQL server of the tests' own: on a socket in a directory of its own, under an unprivileged user."""

import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import quote

import psycopg
import pytest

from tests.rig.asking import free_port
from tests.rig.certificate import make as make_certificate
from tests.rig.directories import server_directory
from tests.rig.parts import need, unprivileged
from tests.rig.processes import children
from tests.rig.until import until

_CONFIGURATION = """
listen_addresses = '127.0.0.1'
port = {port}
ssl = on
ssl_cert_file = 'certificate.pem'
ssl_key_file = 'key.pem'
fsync = off
full_page_writes = off
max_connections = 60
max_prepared_transactions = 2
shared_buffers = 32MB
log_min_messages = fatal
"""

# The one user of whom the server wants a password. Who wants to be this user makes it.
LOCKED = "locked"


class Postgres:
    """One server. Databases in it are made empty, one for each test that asks."""

    def __init__(self, place: Path, programs: Path) -> None:
        self.directory = place
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def pid(self) -> int:
        """Return the process id of the server's first process."""
        assert self._process
        return self._process.pid

    def new_database(self, *, encoding: str = "UTF8", template: str = "template0") -> str:
        """Make a database; its address."""
        name = f"vestibule_{uuid.uuid4().hex[:12]}"
        with self._connected() as connection:
            connection.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE {template}".encode())
        return self.address_of(name)

    def address_of(self, name: str) -> str:
        """Return the address of a database by its name."""
        return f"postgresql://vestibule@/{name}?host={quote(str(self.directory))}&port={self.port}"

    def over_tcp(self, address: str) -> str:
        """Return the address of the same database over TCP."""
        return f"postgresql://vestibule@127.0.0.1:{self.port}/{name_of(address)}"

    def encrypted(self, address: str, host: str) -> str:
        """Return the address of the same database over TCP and TLS, with the certificate checked."""
        trusted = quote(str(self.directory / "data/certificate.pem"))
        return f"postgresql://vestibule@{host}:{self.port}/{name_of(address)}?sslmode=verify-full&sslrootcert={trusted}"

    def drop(self, address: str) -> None:
        """Remove a database, and end the connections to it."""
        with self._connected() as connection:
            connection.execute(f"DROP DATABASE {name_of(address)} WITH (FORCE)".encode())

    def run(self, address: str, statement: LiteralString) -> None:
        """Run one statement in a database."""
        with self._connected(name_of(address)) as connection:
            connection.execute(statement)

    def value(self, query: str, *given: str) -> Any:  # noqa: ANN401 - as the query says
        """Return the one value that a query gives in the server's own database; `given` takes the place of its %s."""
        with self._connected() as connection:
            row = connection.execute(query.encode(), given).fetchone()
        assert row
        return row[0]

    def configure(self, name: str, value: str) -> None:
        """Set one of the server's settings for all sessions, those that are open included."""
        with self._connected() as connection:
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
            connection.execute("SELECT pg_reload_conf()")

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = unprivileged(self._programs / "postgres", "-D", self.directory / "data", "-k", self.directory)
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers, "PostgreSQL answers")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT ends every connection and cleans up, SIGQUIT is a crash."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(how)
        self._process.wait(30)
        self._process = None

    @property
    def has_ended(self) -> bool:
        """Whether the server ended by itself."""
        return self._process is None or self._process.poll() is not None

    def pause(self) -> None:
        """Stop every process of the server where it stands: it takes connections and says nothing."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let the processes go on."""
        self._signal_all(signal.SIGCONT)

    def connections(self, address: str) -> int:
        """Return how many connections a database has."""
        return int(self.value("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", name_of(address)))

    def make(self) -> None:
        """Make the server's files."""
        initdb = unprivileged(
            self._programs / "initdb", "-D", self.directory / "data", "-U", "vestibule", "-A", "trust"
        )
        subprocess.run([*initdb, "--no-sync", "-E", "UTF8", "--locale=C"], check=True, stdout=subprocess.DEVNULL)
        with (self.directory / "data/postgresql.conf").open("a") as configuration:
            configuration.write(_CONFIGURATION.format(port=self.port))
        certificate, key = make_certificate(self.directory / "data", "localhost")
        key.chmod(0o600)
        for file in (certificate, key):
            os.chown(file, self.directory.stat().st_uid, self.directory.stat().st_gid)
        access = self.directory / "data/pg_hba.conf"
        access.write_text(f"local all {LOCKED} scram-sha-256\n{access.read_text()}")

    def _signal_all(self, what: signal.Signals) -> None:
        for pid in [self.pid, *children(self.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, what)

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, "PostgreSQL ended at its start"
        try:
            self._connected().close()
        except psycopg.OperationalError:
            return False
        return True

    def _connected(self, name: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(host=str(self.directory), port=self.port, user="vestibule", dbname=name, autocommit=True)


def name_of(address: str) -> str:
    """Return the name of the database that an address leads to."""
    return address.partition("@/")[2].partition("?")[0]


@contextmanager
def running() -> Iterator[Postgres]:
    """Run a server for as long as the block lasts."""
    programs = need("postgres").parent
    with server_directory("postgres") as place:
        server = Postgres(place, programs)
        server.make()
        try:
            server.start()
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for the whole run."""
    with running() as server:
        yield server
