"""Which addresses of databases and of Redis are taken, and what is shown of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.settings import addresses
from service.settings.kinds import Kind, Unfit
from service.settings.secret import Secret
from tests.settings.asked import refusal


def _read(kind: Kind, value: object) -> Any:  # noqa: ANN401 - whatever the kind makes of it
    found = kind.read(value)
    return found.reveal() if isinstance(found, Secret) else found


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://u:p@h:5432/d?sslmode=require", "postgresql+psycopg://u:p@h:5432/d?sslmode=require"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ("postgresql:///d?host=/run/postgresql", "postgresql+psycopg:///d?host=/run/postgresql"),
        ("postgres://u:a/b+c=#?:d@[::1]:5432/d", "postgresql+psycopg://u:a/b+c=#?:d@[::1]:5432/d"),
        ("sqlite:////srv/v.sqlite3", "sqlite:////srv/v.sqlite3"),
        (Secret("sqlite:////srv/v.sqlite3"), "sqlite:////srv/v.sqlite3"),
    ],
)
def test_a_database_address_names_our_driver(written: object, read: str) -> None:
    """postgres:// and postgresql:// mean psycopg 3; SQLite is a file by its absolute path."""
    assert _read(addresses.DATABASE, written) == read


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("mysql://u:CANARY@h/d", "must look like postgresql://"),
        ("postgresql+psycopg2://u:CANARY@h/d", "must look like postgresql://"),
        ("postgres://u:CAN@RY@h/d", "%40"),
        ("postgres://u:CANARY@h", "must look like"),
        ("postgres://u:CANARY@h:port/d", "must look like"),
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
    reason = refusal(addresses.DATABASE, written)

    assert words in reason
    assert "CANARY" not in reason


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("redis://h", "redis://h"),
        ("redis://:p@h:6379/0", "redis://:p@h:6379/0"),
        ("rediss://u:p%40@h:6379", "rediss://u:p%40@h:6379"),
        ("valkey://[::1]:6379/1", "redis://[::1]:6379/1"),
        ("valkeys://h", "rediss://h"),
        ("unix:///run/redis.sock?db=1", "redis+unix:///run/redis.sock?db=1"),
        ("redis+unix://:p@/run/redis.sock", "redis+unix://:p@/run/redis.sock"),
    ],
)
def test_a_redis_address_is_one_that_the_counters_know(written: str, read: str) -> None:
    """Valkey speaks the same protocol; a socket has one scheme."""
    assert _read(addresses.REDIS, written) == read


@pytest.mark.parametrize(
    "written",
    ["h:6379", "http://h", "redis://:p/CANARY@h", "redis://h/name", "redis+cluster://:CANARY@h", "memory://", ""],
)
def test_a_redis_address_is_refused_without_being_quoted(written: str) -> None:
    """Other schemes, and passwords that redis-py would cut in two, are refused."""
    reason = refusal(addresses.REDIS, written)

    assert "CANARY" not in reason
    assert "redis://" in reason or "is empty" in reason


@pytest.mark.parametrize(
    ("kind", "written", "shown"),
    [
        (addresses.DATABASE, "postgres://u:CA/N#A?R:Y@h:5432/d?password=CANARY", "postgresql+psycopg://u:***@h:5432/d"),
        (addresses.DATABASE, "postgres://u@h/d", "postgresql+psycopg://u:***@h/d"),
        (addresses.DATABASE, "postgres://h/d", "postgresql+psycopg://h/d"),
        (addresses.DATABASE, "sqlite:////srv/v.sqlite3", "sqlite:////srv/v.sqlite3"),
        (addresses.REDIS, "redis://:CANARY@h:6379/0", "redis://:***@h:6379/0"),
        (addresses.REDIS, "unix://:CANARY@/run/redis.sock?db=1", "redis+unix://:***@/run/redis.sock"),
    ],
)
def test_a_store_is_shown_without_its_password(kind: Kind, written: str, shown: str) -> None:
    """User, host and name are shown; what stands between, and every parameter, is not."""
    assert kind.write(kind.read(written)) == shown


def test_an_address_that_nobody_checked_is_not_shown_at_all() -> None:
    """What is not understood may be a secret from end to end."""
    assert addresses.shown(Secret("CANARY")) == "(hidden)"


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N", "P", "S"])))
def test_no_password_is_ever_shown(rest: str) -> None:
    """Whatever the password: refused or taken, neither the words nor what is shown hold it."""
    for kind, scheme in ((addresses.DATABASE, "postgres"), (addresses.REDIS, "redis")):
        try:
            said = kind.write(kind.read(f"{scheme}://vst:CANARY{rest}@store/0"))
        except Unfit as refused:
            said = str(refused)
        assert "CANARY" not in said
