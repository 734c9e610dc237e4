"""The stores that the whole is tried on."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import pytest

from service.login.attempts import Scope
from tests.rig import accounts
from tests.rig.postgres import Postgres, postgres
from tests.rig.processes import children
from tests.rig.redis import Redis, redis_server
from tests.rig.servers import Servers, prepared

__all__ = ["postgres", "redis_server"]

Start = Callable[..., AbstractContextManager[Servers]]


def unhurried(nginx_conf: str) -> str:
    """Return nginx.conf with its own limit far away: what is tried here is the service's."""
    return nginx_conf.replace("burst=40", "burst=10000")


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def start(request: pytest.FixtureRequest) -> Start:
    """Return what starts servers on one kind of store."""
    return partial(migrated, **addresses(request))


@pytest.fixture(params=["sqlite", "postgresql"])
def start_on_sql(request: pytest.FixtureRequest) -> Start:
    """Return what starts servers on one kind of database."""
    return partial(migrated, **addresses(request))


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest) -> Iterator[Servers]:
    """Servers with two workers and alice on one kind of database, for tests that leave them as they found them."""
    throttles = {f"THROTTLES__{scope.name}": "100000/1h" for scope in Scope}
    unlimited = {"LIMITS__POST_PER_MINUTE": "100000", "LIMITS__EDGE_POST_PER_SECOND": "2000"} | throttles
    with prepared(edit_nginx=unhurried, **unlimited, **addresses(request)) as servers:  # type: ignore[arg-type]
        accounts.add(servers, {"alice": {}})
        servers.start()
        servers.wait_until(lambda: len(children(servers.processes["gunicorn"].pid)) == 2, "both workers are there")
        yield servers


@contextmanager
def migrated(**settings: str) -> Iterator[Servers]:
    """Yield servers that are ready on a database whose tables were made by `db upgrade`."""
    with prepared(edit_nginx=unhurried, **settings) as servers:  # type: ignore[arg-type]
        assert servers.vestibule("db", "upgrade").returncode == 0
        servers.start()
        yield servers


def addresses(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the settings that lead to the kind of store that a fixture asks for by its parameter."""
    if request.param == "redis":
        server: Redis = request.getfixturevalue("redis_server")
        server.clear()
        return {"REDIS_URL": server.address}
    if request.param == "postgresql":
        database: Postgres = request.getfixturevalue("postgres")
        return {"DATABASE_URL": database.new_database()}
    return {}
