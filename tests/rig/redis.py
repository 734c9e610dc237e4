"""A Redis server of the tests' own: on a free loopback port, under an unprivileged user, keeping nothing on disk."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests.rig.asking import free_port
from tests.rig.certificate import make as make_certificate
from tests.rig.directories import server_directory
from tests.rig.parts import need, unprivileged
from tests.rig.until import until


class Redis:
    """One server; `address` stays the same when it is started again."""

    def __init__(self, place: Path, program: Path, *options: str, encrypted: bool = False) -> None:
        self._place = place
        self._program = program
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.address = f"redis://127.0.0.1:{self.port}/0"
        self._listen = ["--port", str(self.port)]
        if encrypted:
            certificate, key = make_certificate(place, "localhost")
            self.address = f"rediss://localhost:{self.port}/0?ssl_ca_certs={certificate}"
            self._listen = ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
            self._listen += ["--tls-cert-file", str(certificate), "--tls-key-file", str(key)]

    def start(self) -> None:
        """Start empty, and wait until it answers."""
        options = ["--bind", "127.0.0.1", *self._listen, "--save", "", "--appendonly", "no"]
        options += ["--repl-diskless-sync-delay", "0", *self._options]
        command = unprivileged(self._program, *options, "--dir", str(self._place))
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers, "Redis answers")

    def stop(self) -> None:
        """Stop, if it runs."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait(10)
        self._process = None

    def pause(self) -> None:
        """Leave it standing: connections are taken, nothing is answered."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def command(self, *words: str) -> None:
        """Send one command."""
        with redis.Redis.from_url(self.address) as client:
            client.execute_command(*words)

    def follow(self, other: "Redis") -> None:
        """Become a replica of another one, and wait until it has its keys; open connections stay, and may read."""
        self.command("REPLICAOF", "127.0.0.1", str(other.port))
        until(self._is_in_step, "the replica follows")

    def promote(self) -> None:
        """Become a primary: it writes from now on, and follows no other one."""
        self.command("REPLICAOF", "NO", "ONE")

    def clear(self) -> None:
        """Forget everything."""
        self.command("FLUSHALL")

    def _is_in_step(self) -> bool:
        with redis.Redis.from_url(self.address) as client:
            return bool(client.info("replication")["master_link_status"] == "up")

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, "Redis ended at its start"
        try:
            with redis.Redis.from_url(self.address) as client:
                return bool(client.ping())
        except redis.exceptions.RedisError:
            return False


@contextmanager
def running(*, encrypted: bool = False) -> Iterator[Redis]:
    """Run a server for as long as the block lasts."""
    with server_directory("redis") as place:
        server = Redis(place, need("redis"), encrypted=encrypted)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def pair() -> Iterator[tuple[Redis, Redis]]:
    """Run a primary and its replica for as long as the block lasts."""
    with running() as first, running() as second:
        second.follow(first)
        yield first, second


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """A Redis server for the whole run; a test that stops it starts it again."""
    with running() as server:
        yield server
