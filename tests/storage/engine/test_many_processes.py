"""Several workers on one database: nothing is lost, nothing is counted twice, and no request is refused for it."""

import pytest

from service.storage.engine.database import Database
from tests.rig.redis import Redis
from tests.storage.children import Child, started, together
from tests.storage.stores import Stores, account, address_of, is_whole, over

WORKERS = 4
WORDS = ("kept", "ended")


@pytest.mark.parametrize("store", ["sqlite", "postgresql", "pooled", "redis"])
def test_a_limit_is_exact_with_four_workers(store: str, request: pytest.FixtureRequest, sqlite_file: Database) -> None:
    """Four processes of four threads hit a limit 400 times at once: it lets through what it says, to the hit."""
    database: Database = request.getfixturevalue(store) if store in {"postgresql", "pooled"} else sqlite_file
    redis: Redis | None = request.getfixturevalue("redis_server") if store == "redis" else None
    address = address_of(database)

    let_through = together(*[("hit", address, redis and redis.address, 250, 100)] * WORKERS)

    assert sum(let_through) == 250


def test_parallel_sign_ins_all_succeed(database: Database) -> None:
    """Transactions that read and then write, 20 at once from four processes: none finds the database locked."""
    times = 5
    stores = over(database)
    stores.accounts.add(alice := account())

    done = together(*[("sign_in", address_of(database), alice.id, times)] * WORKERS)

    assert len(stores.sessions.of_account(alice.id)) == sum(done) == times * WORKERS


def test_a_fork_shares_no_connection(database: Database) -> None:
    """A database used before a fork works after it, in both processes."""
    address = address_of(database)
    database.close()

    (seen,) = together(("fork", address))

    assert seen == ["from-the-child", "from-the-parent"]


def test_kill_loses_nothing_acknowledged(database: Database) -> None:
    """After kill -9 in the middle of the work every session that was opened is there, every ended one is gone."""
    stores = over(database)
    stores.accounts.add(alice := account())
    database.close()

    with started(*[("acknowledge", address_of(database), alice.id)] * 2) as children:
        acknowledged = [said for one in children for said in _killed_after(one, 100)]

    found = {what: {_is_kept(stores, token) for word, token in acknowledged if word == what} for what in WORDS}
    assert found == {"kept": {True}, "ended": {False}}
    assert is_whole(database)


def test_what_kill_left_in_the_log_is_not_lost(sqlite_file: Database) -> None:
    """Acknowledged changes that are only in the write-ahead log count as kept."""
    assert sqlite_file.path
    stores = over(sqlite_file)
    stores.accounts.add(alice := account())
    sqlite_file.close()
    if sqlite_file.journal_mode != "wal":
        pytest.skip("this SQLite has no safe write-ahead log")

    with started(("acknowledge", address_of(sqlite_file), alice.id)) as (one,):
        acknowledged = _killed_after(one, 20)

    log = sqlite_file.path.with_name("vestibule.sqlite3-wal")
    assert log.stat().st_size > sqlite_file.path.stat().st_size / 2
    assert all(_is_kept(stores, token) for word, token in acknowledged if word == "kept")


def _killed_after(one: Child, times: int) -> list[tuple[str, bytes]]:
    """Return what a process acknowledged until it was killed."""
    return [*(one.hear() for _ in range(times)), *one.kill()]


def _is_kept(stores: Stores, token_hash: bytes) -> bool:
    return stores.sessions.find(token_hash) is not None
