"""What the drivers make of the addresses of stores: they are made with whatever was taken, and connect there."""

from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from service.services import Unavailable
from service.settings import load, stores
from service.settings.kinds import InvalidValue, Kind, Secret
from service.storage.counting.redis_connection import redis_storage
from service.storage.engine.database import Database
from tests.rig.postgres import Postgres, name_of, postgres

__all__ = ["postgres"]

_RESERVED = ":/?#[]@%"
_LONG = "a" * 64


def _read(kind: Kind, value: object) -> str:
    found: Secret = kind.read(value)
    return found.reveal()


def _for_psycopg(address: str) -> dict[str, Any]:
    """Return what psycopg is given for an address that was taken."""
    url = sa.make_url(address)
    _, keywords = url.get_dialect()().create_connect_args(url)
    return dict(keywords)


def _for_redis(address: str) -> dict[str, Any]:
    """Return what a connection to Redis is made with for an address that was taken."""
    keywords: dict[str, Any] = redis_storage(address).storage.connection_pool.connection_kwargs
    return keywords


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.sampled_from(_RESERVED), min_size=1))
def test_every_password_reaches_the_driver_when_it_is_percent_encoded(password: str) -> None:
    """Whatever the characters are: what was encoded as the refusal says arrives as it was meant."""
    encoded = quote(password, safe="")

    database, store = (
        _read(stores.DATABASE, f"postgresql://{encoded}:{encoded}@h/{encoded}"),
        _read(stores.REDIS, f"redis://{encoded}:{encoded}@h/7"),
    )

    found, redis_found = _for_psycopg(database), _for_redis(store)
    assert (found["user"], found["password"], found["dbname"]) == (password, password, password)
    assert (redis_found["username"], redis_found["password"], redis_found["db"]) == (password, password, 7)


_NEAR = st.lists(
    st.sampled_from(
        [
            *("postgresql://", "postgres://", "redis://", "rediss://", "valkey://", "unix://", "redis+unix://"),
            *("u", ":p", "@", "h", "..", "-", _LONG, "[::1]", "[v1.x]", "h1,h2", "%2Frun", ":6379", ":99999", ":0"),
            *("/0", "/d", "/%00", "%zz", "%ff", "[ab]", "?", "&", "db=1", "host=%2Frun", "host=a,b", "port=x"),
            *("sslmode=require", "autocommit=1", "ssl_ca_certs=/none", "connect_timeout=x", "+", " ", "ü", "#"),
        ]
    ),
    max_size=9,
).map("".join)


@given(_NEAR)
def test_no_driver_refuses_what_was_taken(written: str) -> None:
    """Whatever `config check` calls in order, a driver can be made with: nothing it would read otherwise gets there."""
    with suppress(InvalidValue):
        assert _for_psycopg(_read(stores.DATABASE, written)).keys() <= stores._POSTGRESQL_OPTIONS | {"dbname"}
    with suppress(InvalidValue):
        pool = redis_storage(_read(stores.REDIS, written)).storage.connection_pool
        assert isinstance(pool.make_connection(), redis.connection.AbstractConnection)


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("postgresql://u@%2Fvar%2Frun%2Fpostgresql/db", "/var/run/postgresql", None),
        ("postgresql://u@%2Fvar%2Frun%2Fpostgresql:5433/db", "/var/run/postgresql", "5433"),
        ("postgresql://u@/db?host=/var/run/postgresql&port=5433", "/var/run/postgresql", "5433"),
        ("postgresql://u@/db?host=db.example.org&port=5433", "db.example.org", 5433),
        ("postgresql://u@[::1]:5433/db", "::1", 5433),
    ],
)
def test_a_host_is_where_libpq_finds_it(written: str, host: str, port: str | int | None) -> None:
    """A socket's directory stands percent-encoded in the host's place, or in an option, as PostgreSQL documents it."""
    found = _for_psycopg(_read(stores.DATABASE, written))

    assert (found["host"], found.get("port"), found["user"], found["dbname"]) == (host, port, "u", "db")


def test_tls_files_reach_the_drivers(tmp_path: Path) -> None:
    """Certificates are named by options of the drivers' own names; a blank or a percent sign in a path is kept."""
    ca = tmp_path / "our ca 100%.pem"
    ca.touch()
    named = quote(str(ca))

    found = _for_psycopg(_read(stores.DATABASE, f"postgresql://h/d?sslmode=verify-full&sslrootcert={named}"))
    redis_found = _for_redis(_read(stores.REDIS, f"rediss://h/1?ssl_ca_certs={named}"))

    assert (found["sslmode"], found["sslrootcert"]) == ("verify-full", str(ca))
    assert (redis_found["ssl_ca_certs"], redis_found["db"]) == (str(ca), 1)


def test_a_password_with_brackets_is_read_as_it_stands() -> None:
    """What is clear is read: brackets and colons need no encoding where no driver reads the text itself."""
    assert _for_redis(_read(stores.REDIS, "redis://:p[ab]:c@h/0"))["password"] == "p[ab]:c"


@pytest.fixture
def database(postgres: Postgres) -> str:
    """The address of a database by its server's socket, as `postgresql://user@/name?host=…&port=…`."""
    return postgres.new_database()


def test_a_socket_in_the_hosts_place_connects(database: str) -> None:
    """PostgreSQL's own way to write a socket's directory leads to the server."""
    directory, _, port = database.partition("host=")[2].replace("/", "%2F").partition("&port=")

    settings = load(
        {"VESTIBULE_DATABASE_URL": f"postgresql://vestibule:p%5Ba%5D@{directory}:{port}/{name_of(database)}"}
    )

    with closing(Database(settings.database_address)) as opened:
        assert opened.ping()


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("postgresql://u:CANARY@localhost:1/d", "port 1 failed"),
        ("postgresql://u:CANARY@127.0.0.1:1/d?gssencmode=on", "gssencmode"),
        ("postgresql://u:CANARY@127.0.0.1:1/d?keepalives=soon", "keepalives"),
        ("postgresql://u:CANARY@localhost:1/d?channel_binding=x", "channel_binding"),
        ("postgresql://u:CANARY@%2Fnowhere/d", "/nowhere"),
        ("postgresql://u:CANARY@127.0.0.1:1/d?sslnegotiation=x", "sslnegotiation"),
    ],
)
def test_no_fault_of_the_driver_leaves_without_words(written: str, words: str) -> None:
    """A fault that only the driver finds is named when the service starts: in a line, without the password."""
    database = Database(load({"VESTIBULE_DATABASE_URL": written}).database_address)

    with pytest.raises(Unavailable) as fault, database.reading():
        pass

    assert words in str(fault.value)
    assert "CANARY" not in str(fault.value)
