"""What Redis' user needs, TLS, and what is said of a Redis that does not serve."""

import socket
from collections.abc import Iterator
from typing import Final

import pytest
from redis import Redis as Client
from redis.exceptions import ClusterDownError, MovedError, RedisError

from service.login.attempts import Limit, Scope
from service.settings import load
from service.storage.counting.circuit_breaker import CircuitBreaker
from service.storage.counting.redis_attempts import RedisAttempts
from service.storage.counting.redis_connection import counts, redis_storage
from service.storage.counting.redis_faults import in_words
from tests.house_rules.settings_manual import REDIS_USER
from tests.rig.asking import free_port
from tests.rig.directories import server_directory
from tests.rig.parts import need
from tests.rig.redis import Redis
from tests.rig.until import until
from tests.storage.counting.windows import ALICE, attempt_of, kept, reserve, reserved
from tests.storage.stores import NOW

PASSWORD: Final = "CANARY:p[a]%@/b"
ENCODED: Final = "CANARY%3Ap%5Ba%5D%25%40%2Fb"


def _address(written: str) -> str:
    """Return an address as the settings hand it to the drivers."""
    address = load({"VESTIBULE_REDIS_URL": written}).redis_address
    assert address
    return address


def _fault(written: str) -> str:
    """Return what is said of a Redis that does not serve."""
    with pytest.raises(RedisError) as failure:
        redis_storage(_address(written)).incr("key", 60)
    return in_words(failure.value)


@pytest.fixture
def user(redis: Redis, redis_with_long_timeout: str) -> Iterator[str]:
    """The address of the user that docs/settings.md describes, who has nothing but those rights."""
    words = REDIS_USER.replace("PASSWORD", PASSWORD).split()
    with Client.from_url(redis_with_long_timeout) as client:
        client.execute_command(*words)
        yield _address(f"redis://vestibule:{ENCODED}@127.0.0.1:{redis.port}/0")
        client.execute_command("ACL", "DELUSER", "vestibule")


def test_the_user_of_the_manual_may_do_all_that_is_needed(user: str) -> None:
    """Attempts are reserved, given back, listed and cleared, forms counted, and the return of Redis is noticed."""
    attempts, counters = RedisAttempts(redis_storage(user)), redis_storage(user)

    first, _ = reserve(attempts, attempt_of(), 0, 1)
    attempts.release(reserved(first))
    left = kept(attempts)
    counted = [counters.incr("key", 60), counters.incr("key", 60), counters.get("key")]
    lasts, is_healthy = counters.get_expiry("key"), counters.check()
    counters.clear("key")

    assert (left, counted, counters.get("key"), is_healthy) == ({ALICE: 1}, [1, 2, 2], 0, True)
    assert lasts > 0
    assert attempts.answers()
    assert kept(attempts, Scope.NETWORK)
    assert attempts.throttled_networks(Limit(1, 60), now=NOW) == 1
    assert attempts.clear(account=ALICE) == 1


def test_the_user_of_the_manual_may_do_nothing_else(user: str) -> None:
    """Neither other keys nor other commands: what one service leaks does not open its neighbour's data."""
    with Client.from_url(user) as client:
        for words in (
            ("GET", "other"),
            ("FLUSHALL",),
            ("CONFIG", "GET", "*"),
            ("KEYS", "*"),
            ("SET", "vestibule:x", "1"),
        ):
            with pytest.raises(RedisError, match="permissions"):
                client.execute_command(*words)


def test_a_user_without_a_right_is_told_from_a_wrong_password(user: str, redis: Redis) -> None:
    """The words lead to the manual's list of rights, or to the password."""
    redis.command("ACL", "SETUSER", "vestibule", "-zadd", "-incrby")
    with pytest.raises(RedisError) as refused:
        reserve(RedisAttempts(redis_storage(user)), attempt_of(), 0)

    assert "docs/settings.md has the ACL" in in_words(refused.value)
    assert _fault(f"redis://vestibule:wrong@127.0.0.1:{redis.port}/0") == "the user name or the password is wrong"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (f"redis://:{ENCODED}@127.0.0.1:{{port}}/0", "a password is given, and the server has none for this user"),
        (f"redis://nobody:{ENCODED}@127.0.0.1:{{port}}/0", "the user name or the password is wrong"),
        ("redis://127.0.0.1:{port}/99", "the server has no database of that number"),
        (f"redis://:{ENCODED}@127.0.0.1:{{free}}/0", "no server listens on that port or socket"),
        (f"redis://:{ENCODED}@name.invalid/0", "the name of the server cannot be resolved"),
        (f"redis+unix://:{ENCODED}@/nowhere/redis.sock", "No such file or directory"),
    ],
)
def test_what_is_wrong_is_said(redis: Redis, redis_with_long_timeout: str, written: str, words: str) -> None:
    """Name, port, socket, password, database number: each in its own words, without a part of the address."""
    assert redis_with_long_timeout
    assert _fault(written.format(port=redis.port, free=free_port())) == words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("NOREPLICAS Not enough good replicas to write.", "min-replicas-to-write"),
        (
            "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
            "keeps the server busy",
        ),
        ("Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "lost its primary"),
        (
            "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
            "its disk",
        ),
        ("You can't write against a read only replica. script: 3f8a, on @user_script:14.", "a read-only replica"),
    ],
)
def test_a_redis_that_does_not_write_says_why(said: str, words: str) -> None:
    """What Redis answers while it does not write, in words that say what to look at."""
    assert words in in_words(RedisError(said))


def test_a_redis_of_a_cluster_is_told_from_a_broken_one() -> None:
    """Its driver says only which slot is elsewhere, or not served."""
    for failure in (MovedError("14943 127.0.0.1:7001"), ClusterDownError("Hash slot not served")):
        assert "one of a cluster" in in_words(failure)


def test_the_log_says_what_is_wrong(redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    """One line when Redis is given up says why, and holds no password."""
    breaker = CircuitBreaker(lambda: True, (RedisError,), every_seconds=0.02)
    store = redis_storage(_address(f"redis://nobody:{ENCODED}@127.0.0.1:{redis.port}/0"))
    with pytest.raises(RedisError) as refused:
        store.incr("key", 60)

    breaker.open(refused.value)
    until(lambda: not breaker.is_open, "the circuit breaker trusts Redis again")

    assert "Redis does not serve (the user name or the password is wrong): limits are counted in SQL" in caplog.text
    assert "CANARY" not in caplog.text


@pytest.fixture(scope="module")
def tls() -> Iterator[tuple[int, str]]:
    """A Redis that speaks TLS, with a certificate for localhost; its port, and the certificate's path."""
    with server_directory("redis-tls") as place:
        server = Redis(place, need("redis"), encrypted=True)
        try:
            server.start()
            yield server.port, server.address.partition("ssl_ca_certs=")[2]
        finally:
            server.stop()


def test_tls_with_an_authority_of_ones_own(tls: tuple[int, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With `ssl_ca_certs` Redis counts over TLS; without, and under another name, its certificate is refused."""
    monkeypatch.setattr("service.storage.counting.redis_connection.TIMEOUT_SECONDS", 10.0)
    port, pem = tls

    assert counts(redis_storage(_address(f"rediss://localhost:{port}/0?ssl_ca_certs={pem}")))
    assert "certificate is refused: self-signed" in _fault(f"rediss://localhost:{port}/0")
    assert "certificate is refused: IP address mismatch" in _fault(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={pem}")
    assert "does it speak TLS" in _fault(f"redis://localhost:{port}/0")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        assert _fault(f"rediss://localhost:{listener.getsockname()[1]}/0") == "no server listens on that port or socket"
