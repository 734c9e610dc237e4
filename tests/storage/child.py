"""What tests do in processes of their own (`children.py` starts them).

Each says that it is ready and waits for the word before it does its work, so that several really work at the same time.
"""

import fcntl
import os
import resource
import signal
import sqlite3
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from limits import RateLimitItemPerHour
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from service.login.attempts import Attempt, Reserved, Throttles
from service.services import Unavailable
from service.storage.counting import redis_connection, sql_attempts
from service.storage.counting.choose import choose
from service.storage.engine import postgresql, sqlite, timed_connection
from service.storage.engine.database import Database
from service.storage.upkeep import schema
from service.storage.upkeep.restore import restore
from tests.storage.place import upgrade_server
from tests.storage.stores import NOW, account, over, session


def hit(address: str, redis: str | None, limit: int, times: int) -> int:
    """Hit one limit from four threads; how often it let us through."""
    chosen = choose(Database(address), redis=redis)
    storage = storage_from_string(chosen.uri, **chosen.options)
    assert isinstance(storage, Storage)
    limiter, item = FixedWindowRateLimiter(storage), RateLimitItemPerHour(limit)
    ready()
    with ThreadPoolExecutor(4) as threads:
        return sum(threads.map(lambda _: limiter.hit(item, "everybody"), range(times)))


def reserve(address: str, redis: str | None, attempt: Attempt, throttles: Throttles, times: int) -> int:
    """Reserve attempts from four threads; how many there were to be had."""
    _wait_long()
    attempts = choose(Database(address), redis=redis).attempts
    ready()
    with ThreadPoolExecutor(4) as threads:
        verdicts = list(threads.map(lambda _: attempts.reserve(attempt, throttles, now=NOW), range(times)))
    return sum(isinstance(verdict, Reserved) for verdict in verdicts)


def _wait_long() -> None:
    """Bound waits as on a machine with time: a busy one would be refused, which is right and not what is tested."""
    redis_connection.TIMEOUT_SECONDS = postgresql.ANSWER_SECONDS = 30.0  # type: ignore[misc]
    timed_connection.SERVER_MILLISECONDS = 30_000  # type: ignore[misc]
    sql_attempts.SLOT_SECONDS = sqlite.BUSY_SECONDS = 30.0  # type: ignore[misc]


def sign_in(address: str, account_id: str, times: int) -> int:
    """Open sessions from eight threads, each in a transaction that reads and then writes; how many."""
    stores = over(Database(address))

    def one(_turn: int) -> None:
        with stores.transaction():
            found = stores.accounts.by_id(account_id)
            assert found
            stores.sessions.add(session(found.id, id=os.urandom(6).hex(), token_hash=os.urandom(32)))

    ready()
    with ThreadPoolExecutor(8) as threads:
        return len(list(threads.map(one, range(times))))


def read_and_write(address: str, account_id: str, times: int) -> list[str]:
    """Look an account up and write sessions, from eight threads; what went wrong, or was another's."""
    stores = over(Database(address))

    def one(_turn: int) -> str:
        try:
            with stores.transaction():
                held = stores.accounts.lock_for_update(account_id)
                stores.sessions.add(mine := session(account_id, id=os.urandom(6).hex(), token_hash=os.urandom(32)))
            found = stores.sessions.find(mine.token_hash)
            stores.sessions.touch(mine.token_hash, now=NOW + 1)
        except Unavailable as away:
            return str(away)
        right = held and found and held.id == found.account.id == account_id and found.session.id == mine.id
        return "" if right else f"{held} {found}"

    ready()
    with ThreadPoolExecutor(8) as threads:
        return [wrong for wrong in threads.map(one, range(times)) if wrong]


def acknowledge(address: str, account_id: str) -> None:
    """Open and end sessions for ever; tell each change once it is acknowledged. Ended by the test."""
    sessions = over(Database(address)).sessions
    ready()
    while True:
        kept, ended = (session(account_id, id=os.urandom(6).hex(), token_hash=os.urandom(32)) for _ in range(2))
        sessions.add(kept)
        sessions.add(ended)
        _line.send(("kept", kept.token_hash))
        sessions.end(ended.token_hash)
        _line.send(("ended", ended.token_hash))


def prepare(address: str, state_dir: str, head: str, migrations: str | None = None) -> str:
    """Make an SQLite file ready as the service does at its start; what went wrong, if anything."""
    _use(head, migrations)
    database = Database(address)
    ready()
    try:
        schema.prepare(database, backups=Path(state_dir) / "backups", now=NOW)
    except schema.SchemaFault as fault:
        return str(fault)
    return ""


def upgrade(address: str, head: str, migrations: str | None = None) -> str:
    """Bring a database up to date as `vestibule db upgrade` does; what it says."""
    _use(head, migrations)
    ready()
    return upgrade_server(Database(address))


def occupy(path: str, *statements: str) -> None:
    """Use an SQLite file in a transaction that ends when the test says so."""
    ready()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement).fetchall()
        _line.send("in use")
        _line.recv()


def hold(lock: str) -> None:
    """Hold the lock on a file. Ended by the test."""
    ready()
    with Path(lock).open("r+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        _line.send("holds")
        _line.recv()


def fork(address: str) -> list[str]:
    """Use a database before and after a fork, in both processes; the names that each one sees."""
    database = Database(address)
    stores = over(database)
    stores.accounts.add(account("from-the-parent"))
    ready()
    pid = os.fork()
    if pid == 0:
        stores.accounts.add(account("from-the-child", id="c" * 32))
        os._exit(len(list(stores.accounts.all())))
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 2
    return [found.username for found in stores.accounts.all()]


def fill(address: str, account_id: str, room: int) -> dict[str, Any]:
    """Open sessions until no file may grow any more; how many, and whether reading and ending still work."""
    sessions = over(Database(address)).sessions
    sessions.add(first := session(account_id))
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    ready()
    opened, refused = 0, ""
    while not refused:
        try:
            sessions.add(session(account_id, user_agent="x" * 4000))
            opened += 1
        except Unavailable as full:
            refused = str(full)
    return {"opened": opened, "refused": refused, "found": sessions.find(first.token_hash) is not None}


def restore_until(backup: Path, database: Path, moment: int) -> None:
    """Restore a backup, and be killed when Python is about to change a file for so many times, or is done before."""
    left = moment

    def watch(event: str, _: object) -> None:
        nonlocal left
        if event.startswith(("os.", "open", "sqlite3", "fcntl", "shutil")):
            left -= 1
            if left == -1:
                os.kill(os.getpid(), signal.SIGKILL)

    ready()
    sys.addaudithook(watch)
    restore(backup, database, by="", now=NOW, show=lambda *_: None)
    os._exit(0)


def ready() -> None:
    """Say so, and wait for the word."""
    _line.send("ready")
    _line.recv()


def _use(head: str, migrations: str | None) -> None:
    schema.HEAD = head  # type: ignore[misc]
    if migrations:
        schema.MIGRATIONS = Path(migrations)  # type: ignore[misc]


COMMANDS: dict[str, Callable[..., Any]] = {
    work.__name__: work
    for work in (
        hit,
        reserve,
        sign_in,
        read_and_write,
        acknowledge,
        prepare,
        upgrade,
        occupy,
        hold,
        fork,
        fill,
        restore_until,
    )
}
_line: Connection


def run(line: Connection, safe_wal: tuple[int, ...], command: str, *arguments: object) -> None:
    """Do one command and tell what it returned, or how it failed."""
    global _line  # noqa: PLW0603 - the process has one
    _line = line
    sqlite.SAFE_WAL = safe_wal  # type: ignore[misc,assignment]
    try:
        line.send(("done", COMMANDS[command](*arguments)))
    except BaseException:  # noqa: BLE001 - told to the test
        line.send(("failed", traceback.format_exc()))
