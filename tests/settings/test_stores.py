"""Which addresses of databases and of Redis are taken, and what is shown of them."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.settings import stores
from service.settings.kinds import InvalidValue, Kind, Secret
from tests.settings.asked import refusal

_RESERVED = ":/?#[]@%"
_LONG = "a" * 64


def _read(kind: Kind, value: object) -> str:
    found: Secret = kind.read(value)
    return found.reveal()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://u:p@h:5432/d?sslmode=require", "postgresql+psycopg://u:p@h:5432/d?sslmode=require"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ("postgresql:///d?host=/run/postgresql", "postgresql+psycopg:///d?host=%2Frun%2Fpostgresql"),
        ("postgres://u:a/b+c=#?:d@[::1]:5432/d", "postgresql+psycopg://u:a%2Fb%2Bc%3D%23%3F%3Ad@[::1]:5432/d"),
        ("postgres://u:p@a,b/d", "postgresql+psycopg://u:p@/d?host=a%2Cb"),
        ("postgres://u@a:1,[::1]:2/d", "postgresql+psycopg://u@/d?host=a%2C%3A%3A1&port=1%2C2"),
        ("postgres://u@/d?host=a,b&port=5433", "postgresql+psycopg://u@/d?host=a%2Cb&port=5433"),
        ("sqlite:////srv/v.sqlite3", "sqlite:////srv/v.sqlite3"),
    ],
)
def test_a_database_address_names_our_driver(written: object, read: str) -> None:
    """postgres:// and postgresql:// mean psycopg 3; SQLite is a file by its absolute path; hosts may be several."""
    assert _read(stores.DATABASE, written) == read


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("mysql://u:CANARY@h/d", "must look like postgresql://"),
        ("postgresql+psycopg2://u:CANARY@h/d", "must look like postgresql://"),
        ("postgres://u:CAN@RY@h/d", "%40"),
        ("postgres://u:CANARY@h", "must look like"),
        ("postgres://u:CANARY@h:port/d", "must have a port from 1 to 65535"),
        ("CANARY", "must look like"),
        ("sqlite://", "absolute path"),
        ("sqlite:///:memory:", "absolute path"),
        ("sqlite:///CANARY.sqlite3", "absolute path"),
        ("sqlite:////srv/v.sqlite3?mode=CANARY", "absolute path"),
        ("sqlite:////srv/", "absolute path"),
        ("", "is empty"),
    ],
)
def test_a_database_address_is_refused_without_being_quoted(written: str, words: str) -> None:
    """The refusal says what it should look like, and nothing of what was given."""
    reason = refusal(stores.DATABASE, written)

    assert words in reason
    assert "CANARY" not in reason


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("redis://h", "redis://h/0"),
        ("redis://:p@h:6379/0", "redis://:p@h:6379/0"),
        ("rediss://u:p%40@h:6379", "rediss://u:p%40@h:6379/0"),
        ("valkey://[::1]:6379/1", "redis://[::1]:6379/1"),
        ("valkeys://h", "rediss://h/0"),
        ("unix:///run/redis.sock?db=1", "redis+unix:///run/redis.sock?db=1"),
        ("redis+unix://:p@/run/redis.sock", "redis+unix://:p@/run/redis.sock?db=0"),
    ],
)
def test_a_redis_address_is_one_that_the_counters_know(written: str, read: str) -> None:
    """Valkey speaks the same protocol; a socket has one scheme."""
    assert _read(stores.REDIS, written) == read


@pytest.mark.parametrize(
    "written",
    [
        "h:6379",
        "http://h",
        "redis://:p/CANARY@h",
        "redis://:CANARY@",
        "redis+unix://h/CANARY",
        "redis+unix://:CANARY@",
        "redis+cluster://:CANARY@h",
        "memory://",
        "",
    ],
)
def test_a_redis_address_is_refused_without_being_quoted(written: str) -> None:
    """Other schemes, and passwords that redis-py would cut in two, are refused."""
    reason = refusal(stores.REDIS, written)

    assert "CANARY" not in reason
    assert "redis://" in reason or "is empty" in reason


@pytest.mark.parametrize(
    ("kind", "written", "shown"),
    [
        (stores.DATABASE, "postgres://u:CA/N#A?R:Y@h:5432/d?password=CANARY", "postgresql+psycopg://u:***@h:5432/d"),
        (stores.DATABASE, "postgres://u@h/d", "postgresql+psycopg://u:***@h/d"),
        (stores.DATABASE, "postgres://h/d", "postgresql+psycopg://h/d"),
        (stores.DATABASE, "sqlite:////srv/v.sqlite3", "sqlite:////srv/v.sqlite3"),
        (stores.REDIS, "redis://:CANARY@h:6379/0", "redis://:***@h:6379/0"),
        (stores.REDIS, "unix://:CANARY@/run/redis.sock?db=1", "redis+unix://:***@/run/redis.sock"),
    ],
)
def test_a_store_is_shown_without_its_password(kind: Kind, written: str, shown: str) -> None:
    """User, host and name are shown; what stands between, and every parameter, is not."""
    assert kind.write(kind.read(written)) == shown


def test_what_is_no_address_is_not_shown_at_all() -> None:
    """Text without a scheme may be a secret from end to end."""
    assert stores.shown(Secret("CANARY")) == "(hidden)"


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N", "P", "S"])))
def test_no_password_is_ever_shown(rest: str) -> None:
    """Whatever the password: refused or taken, neither the words nor what is shown hold it."""
    for kind, scheme in ((stores.DATABASE, "postgres"), (stores.REDIS, "redis")):
        try:
            said = kind.write(kind.read(f"{scheme}://vst:CANARY{rest}@store/0"))
        except InvalidValue as refused:
            said = str(refused)
        assert "CANARY" not in said


@pytest.mark.parametrize(
    ("kind", "written", "words"),
    [
        (stores.DATABASE, "postgresql://u:CANARY@h:99999/d", "port from 1 to 65535"),
        (stores.DATABASE, "postgresql://u:CANARY@h:0/d", "port from 1 to 65535"),
        (stores.DATABASE, "postgresql://u:CANARY@a..b/d", "as its host"),
        (stores.DATABASE, f"postgresql://u:CANARY@{_LONG}/d", "as its host"),
        (stores.DATABASE, "postgresql://u:CANARY@h/d?sslmod=require", "near sslmode"),
        (stores.DATABASE, "postgresql://u:CANARY@h/d?autocommit=1", "unknown option"),
        (stores.DATABASE, "postgresql://u:CANARY@h/d?sslmode=verify_full", "sslmode, which must be disable, allow, "),
        (stores.DATABASE, "postgresql://u:CANARY@h/d?connect_timeout=5s", "connect_timeout, which must be a number of"),
        (
            stores.DATABASE,
            "postgresql://u:CANARY@h/d?sslrootcert=ca.pem",
            "sslrootcert, which must be the absolute path",
        ),
        (stores.DATABASE, "postgresql://u:CANARY@h/d?host=b", "two hosts"),
        (stores.DATABASE, "postgresql://u:CANARY@a,,b/d", "as its host"),
        (stores.DATABASE, "postgresql://u:CANARY@a:1,b:x/d", "port from 1 to 65535"),
        (stores.DATABASE, "postgresql://u:CANARY@/d?host=a,b,c&port=1,2", "one port for all of its hosts, or one for"),
        (stores.DATABASE, "postgresql://u:CANARY@/var/run/postgresql/d", "%2Fvar%2Frun%2Fpostgresql/name"),
        (stores.DATABASE, "postgresql://u:CAN%ARY@h/d", "write a plain % as %25"),
        (stores.DATABASE, "postgresql://u:CANARY%ff@h/d", "printable UTF-8"),
        (stores.DATABASE, "postgresql://u:CANARY%00@h/d", "printable UTF-8"),
        (stores.REDIS, "redis://:CANARY@h:99999/0", "port from 1 to 65535"),
        (stores.REDIS, "redis://:CANARY@h/name", "number of a database"),
        (stores.REDIS, "redis://:CANARY@h/0?db=1", "unknown option, or one twice: there may be none"),
        (stores.REDIS, "redis://:CANARY@h/0?ssl_ca_certs=/etc/hosts", "unknown option"),
        (stores.REDIS, "rediss://:CANARY@h/0?ssl_ca_certs=/none.pem", "must be the absolute path of an existing file"),
        (stores.REDIS, "rediss://:CANARY@h/0?ssl_cert_reqs=none", "near ssl_cert"),
    ],
)
def test_a_wrong_part_of_an_address_is_named(kind: Kind, written: str, words: str) -> None:
    """The refusal says which part is wrong and what would be right, and quotes nothing of the address."""
    reason = refusal(kind, written)

    assert words in reason
    assert "CAN" not in reason


@pytest.mark.parametrize("character", _RESERVED)
def test_the_encoding_of_every_reserved_character_is_said(character: str) -> None:
    """The refusal itself says how each reserved character is written."""
    for kind in (stores.DATABASE, stores.REDIS):
        assert f"{character} as {quote(character, safe='')}" in refusal(kind, "nonsense")
