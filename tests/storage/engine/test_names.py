"""A resolver that does not answer keeps no request waiting."""

import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from service.login.attempts import Scope
from service.storage.counting.redis_attempts import RedisAttempts
from service.storage.counting.redis_connection import redis_storage
from service.storage.engine.database import Database
from service.storage.engine.names import THREAD, Names
from tests.rig.parts import ROOT
from tests.rig.postgres import Postgres
from tests.rig.redis import running

NAME = "cache.example.test"
# A network and a resolv.conf of its own: the resolver takes every question and answers none.
_UNSHARED = ("unshare", "--map-root-user", "--mount", "--net")


class Resolver:
    """A resolver that answers when it is let, and counts questions."""

    def __init__(self, *addresses: str) -> None:
        self.may_answer = threading.Event()
        self.addresses = addresses
        self.questions = 0

    def __call__(self, _name: str, _port: None) -> list[tuple[Any, ...]]:
        self.questions += 1
        self.may_answer.wait(60)
        if not self.addresses:
            raise OSError("no such name")
        return [(2, 1, 6, "", (address, 0)) for address in self.addresses]


def test_a_name_that_is_not_resolved_is_given_up_and_asked_for_once() -> None:
    """A caller that asks meanwhile is told, and no second thread waits for the same name; once known it is returned."""
    names = Names(resolver := Resolver("192.0.2.1", "192.0.2.1", "2001:db8::1"))

    for _ in range(3):
        with pytest.raises(TimeoutError, match=NAME):
            names.addresses(NAME, seconds=0.01)
    asked = resolver.questions
    resolver.may_answer.set()

    assert asked == 1
    assert names.addresses(NAME, seconds=60) == ["192.0.2.1", "2001:db8::1"]


def test_what_was_known_is_used_while_the_resolver_is_silent() -> None:
    """A name that was resolved before keeps its addresses until the resolver says others."""
    names = Names(resolver := Resolver("192.0.2.1"))
    resolver.may_answer.set()
    first = names.addresses(NAME, seconds=60)
    resolver.may_answer.clear()

    meanwhile = names.addresses(NAME, seconds=0.01)
    resolver.addresses = ("192.0.2.2",)
    resolver.may_answer.set()

    assert first == meanwhile == ["192.0.2.1"]
    assert names.addresses(NAME, seconds=60) == ["192.0.2.2"]


def test_an_unknown_name_is_told_by_name() -> None:
    """The log of a misspelt host shows the host."""
    names = Names(resolver := Resolver())
    resolver.may_answer.set()

    with pytest.raises(OSError, match=f"{NAME} is not known"):
        names.addresses(NAME, seconds=60)


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7", "/run/postgresql", ""])
def test_an_address_needs_no_resolver(address: str) -> None:
    """Nor does the directory of a socket."""
    names = Names(resolver := Resolver())

    assert names.addresses(address, seconds=0) == [address]
    assert resolver.questions == 0


def test_redis_is_reached_by_name_and_its_certificate_is_checked() -> None:
    """The connection goes to a resolved address, and the certificate must be for the name that the operator wrote."""
    with running(encrypted=True) as server:
        by_name, other = server.address, server.address.replace("localhost", "127.0.0.1")
        assert list(RedisAttempts(redis_storage(by_name)).tallies(by=Scope.NETWORK, since=0)) == []
        with pytest.raises(RedisAttempts(redis_storage(other)).failures, match="certificate"):
            list(RedisAttempts(redis_storage(other)).tallies(by=Scope.NETWORK, since=0))


def test_postgresql_is_reached_by_name_and_its_certificate_is_checked(postgres: Postgres) -> None:
    """So does PostgreSQL's; several hosts in one address are tried in turn."""
    address = postgres.new_database()
    right, wrong = (postgres.encrypted(address, host) for host in ("localhost", "127.0.0.1"))
    hosts = "&".join(f"host={host}:{postgres.port}" for host in ("nowhere.invalid", "localhost"))
    several = f"{right.replace(f'localhost:{postgres.port}', '')}&{hosts}"

    answers = []
    for each in (right, wrong, several):
        with closing(Database(each)) as database:
            answers.append(database.ping())

    assert answers == [True, False, True]


def test_a_silent_resolver_keeps_neither_store_waiting(tmp_path: Path) -> None:
    """Attempts are counted in SQL, and PostgreSQL is unavailable, both before the resolver's own time is up."""
    if subprocess.run([*_UNSHARED, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system allows no network namespace")
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    script = f'mount --bind {tmp_path}/resolv.conf /etc/resolv.conf && exec {sys.executable} -B -c "$0" {tmp_path}'

    done = subprocess.run(
        [*_UNSHARED, "sh", "-c", script, _CHILD], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stdout.split() == ["reserved", "unavailable"], done.stderr


_CHILD = f"""
import fcntl, os, socket, struct, sys, threading
from pathlib import Path
from service.services import Unavailable
from service.storage.counting.choose import choose
from service.storage.upkeep import schema
from service.storage.engine.database import Database
from tests.storage.stores import NOW
from tests.storage.counting.windows import LIMITS, attempt_of, reserved

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
    fcntl.ioctl(silent, 0x8914, struct.pack("16sh", b"lo", 0x41))  # up
    silent.bind(("127.0.0.1", 53))
    here = Path(sys.argv[1])
    attempts = choose(Database(f"sqlite:///{{here}}/v"), redis="rediss://cache.example.test/0").attempts
    reserved(attempts.reserve(attempt_of(), LIMITS, now=NOW))
    print("reserved")
    assert not Database("postgresql://u:p@db.example.test/v").ping()
    print("unavailable")
    waiting = [thread for thread in threading.enumerate() if thread.name == {THREAD!r}]
    assert len(waiting) == 2, "the resolver answered"
    sys.stdout.flush()
    os._exit(0)
"""
