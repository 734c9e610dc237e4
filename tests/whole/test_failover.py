"""The stores move under the service: PostgreSQL's standby and Redis' replica take over, and a password is changed."""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import psycopg
import pytest

from tests.rig import accounts, haproxy
from tests.rig import redis as redis_rig
from tests.rig.haproxy import Haproxy
from tests.rig.instances import Instances, instances
from tests.rig.passwords import PASSWORD
from tests.rig.postgres import LOCKED, Postgres, name_of
from tests.rig.postgres import running as running_postgres
from tests.rig.redis import Redis
from tests.rig.servers import Servers, prepared
from tests.rig.standby import Standby, standby_of
from tests.rig.until import until
from tests.whole.conftest import unhurried

FORM = {"Content_Type": "application/x-www-form-urlencoded"}
# What was being verified when a store went stays counted as a failure.
OUT_OF_THE_WAY = {
    "LIMITS__POST_PER_MINUTE": "60000",
    "LIMITS__EDGE_POST_PER_SECOND": "2000",
    "THROTTLES__ACCOUNT_FROM_NETWORK": "1000/15m",
}


@dataclass(frozen=True)
class Stores:
    """Both stores, those that will take over, and the names that move."""

    first: Postgres
    second: Standby
    database: Haproxy
    redis: tuple[Redis, Redis]
    counters: Haproxy


@pytest.fixture(scope="module")
def stores() -> Iterator[Stores]:
    """A primary with a standby that has every change, and a Redis with a replica."""
    with ExitStack() as stack:
        first = stack.enter_context(running_postgres())
        second = stack.enter_context(standby_of(first, synchronous=True))
        redis = stack.enter_context(redis_rig.pair())
        names = [stack.enter_context(haproxy.leading_to(server.port)) for server in (first, redis[0])]
        yield Stores(first, second, names[0], redis, names[1])


def sign_in(front: Servers) -> tuple[int, str]:
    """Sign alice in; the status, and the session's cookie where there is one."""
    answer = front.get("/", method="POST", body=urlencode({"username": "alice", "password": PASSWORD}).encode(), **FORM)
    return answer.status, answer.all("set-cookie")[0].partition(";")[0] if answer.status == 303 else ""


def test_what_was_acknowledged_survives_a_failover(stores: Stores) -> None:
    """The primary crashes, Redis becomes a replica, their names move: people get in again, and nothing is forgotten."""
    address = stores.database.address(stores.first.over_tcp(stores.first.new_database()))
    names = {"DATABASE_URL": address, "REDIS_URL": stores.counters.address(stores.redis[0].address)}
    with prepared(edit_nginx=unhurried, **OUT_OF_THE_WAY, **names) as servers:  # type: ignore[arg-type]
        accounts.add(servers, {"alice": {}})
        servers.start()
        opened = [sign_in(servers)[1] for _ in range(4)]
        servers.get("/logout", method="POST", body=b"", Cookie=opened[0], Origin=servers.origin, **FORM)

        stores.redis[1].promote()
        stores.redis[0].follow(stores.redis[1])
        stores.first.stop(signal.SIGQUIT)
        while_away = sign_in(servers)[0]
        stores.second.promote()
        stores.database.move(stores.second.port, cut=True)
        stores.counters.move(stores.redis[1].port)
        servers.wait_until(lambda: sign_in(servers)[0] == 303, "people get in again")
        metrics = "vestibule_counter_store_degraded 0.0"
        servers.wait_until(lambda: metrics in servers.ops("/metrics").text, "attempts are counted in Redis again")
        statuses = [sign_in(servers)[0] for _ in range(10)]
        known = [servers.get("/account", Cookie=cookie).status for cookie in opened]

    assert while_away == 503
    assert statuses == [303] * 10
    assert known == [303, 200, 200, 200]


@pytest.fixture(scope="module")
def guarded() -> Iterator[Postgres]:
    """A server with a user who needs a password."""
    with running_postgres() as server:
        with psycopg.connect(server.address_of("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {LOCKED} LOGIN PASSWORD 'old'".encode())
        yield server


@pytest.fixture
def it(guarded: Postgres) -> Iterator[Instances]:
    """Two instances on a database of that user."""
    address = guarded.new_database()
    with psycopg.connect(guarded.address_of("postgres"), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name_of(address)} OWNER TO {LOCKED}".encode())
    own = address.replace("vestibule@", f"{LOCKED}:old@")
    more = OUT_OF_THE_WAY | {"SERVER__DRAIN": "1s"}
    with instances(2, database=own, workers=1, edit_nginx=unhurried, **more) as started:
        accounts.add(started.front, {"alice": {}})
        started.start()
        yield started


@contextmanager
def people_come_in(front: Servers) -> Iterator[list[int]]:
    """Sign in from two clients without a pause for as long as the block lasts; the statuses so far."""
    statuses: list[int] = []
    is_over = threading.Event()

    def come_in() -> None:
        while not is_over.is_set():
            statuses.append(sign_in(front)[0])

    clients = [threading.Thread(target=come_in) for _ in range(2)]
    for client in clients:
        client.start()
    try:
        until(lambda: len(statuses) > 10, "people get in")
        yield statuses
    finally:
        is_over.set()
        for client in clients:
            client.join()


def test_a_password_is_changed_without_a_gap(guarded: Postgres, it: Instances) -> None:
    """Instances get the new password one by one. One that has a wrong one says so and ends, and the others go on."""
    right = it.front.environ["VESTIBULE_DATABASE_URL"].replace(":old@", ":new@")
    with people_come_in(it.front) as statuses:
        with psycopg.connect(guarded.address_of("postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER ROLE {LOCKED} PASSWORD 'new'".encode())
        it.stop(0)
        it.each[0].start_gunicorn()
        until(it.each[0].processes["gunicorn"].poll, "the instance with the old password ends")
        said = it.each[0].log("gunicorn")
        for number, instance in enumerate(it.each):
            instance.environ["VESTIBULE_DATABASE_URL"] = right
            it.replace(number)
        so_far = len(statuses)
        until(lambda: len(statuses) > so_far + 10, "people still get in")

    logged = "".join(instance.log("gunicorn") for instance in it.each).splitlines()
    assert [
        line for line in logged if "store_unavailable" in line and ("refuses" in line or "a moment ago" in line)
    ] == []
    assert set(statuses) <= {303, 503}  # a busy machine sheds some
    assert f'refuses the user \\"{LOCKED}\\" or the password: correct them in VESTIBULE_DATABASE_URL' in said
