"""Wrong passwords and blocks with four workers, parallel requests and a restart, on each store."""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from service.access.block_list import Block
from service.login.accounts import Account
from service.login.audit import Happened
from service.refresh import EVERY_SECONDS
from service.storage.accounts import SqlAccounts
from service.storage.audit import SqlAudit
from service.storage.blocks import SqlBlocks
from service.storage.engine.database import Database
from tests.rig.answer import Answer
from tests.rig.servers import Servers
from tests.whole.conftest import Start, migrated

LIMIT = 5  # the default, for one account from one network
AT_ONCE = 50
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
OUT_OF_THE_WAY = {"LIMITS__POST_PER_MINUTE": "60000", "LIMITS__EDGE_POST_PER_SECOND": "2000"}
FOREVER = 2**40


@contextmanager
def database_of(servers: Servers) -> Iterator[Database]:
    """Open the servers' database."""
    file = servers.state_dir / "vestibule.sqlite3"
    database = Database(servers.environ.get("VESTIBULE_DATABASE_URL", f"sqlite:///{file}"))
    try:
        yield database
    finally:
        database.close()


def guess(servers: Servers) -> Answer:
    """Send one wrong password for an account."""
    return servers.get("/", method="POST", body=b"username=alice&password=wrong", **FORM)


def at_once(servers: Servers, times: int, *, path: str = "") -> Counter[int]:
    """Guess, or ask for a page, so many times at the same time; the statuses."""
    with ThreadPoolExecutor(times) as clients:
        asked = clients.map(lambda _: servers.get(path) if path else guess(servers), range(times))
        return Counter(answer.status for answer in asked)


def wait_for_all_workers(servers: Servers, status: int, condition: str) -> None:
    """Wait until the sign-in page answers with this status, and no worker's list of blocks can be from before now.

    Asking often is not enough: a worker that none of the questions reached still has the list that it read last.
    """
    changed = time.monotonic()
    servers.wait_until(
        lambda: at_once(servers, 20, path="/") == {status: 20} and time.monotonic() - changed > EVERY_SECONDS,
        condition,
    )


def test_not_one_guess_more_than_the_limit(start: Start) -> None:
    """Of 50 parallel guesses and more later as many as the limit are verified; after kill -9 and a start, none."""
    with start(workers=4, **OUT_OF_THE_WAY) as servers:
        burst = at_once(servers, AT_ONCE)
        more = Counter(guess(servers).status for _ in range(LIMIT + 1))
        servers.end("gunicorn", signal.SIGKILL)
        servers.start_gunicorn()
        servers.wait_until(lambda: servers.ops("/readyz").status == 200, "ready again")
        after_restart = at_once(servers, AT_ONCE)
        refused = guess(servers)

    assert (burst + more)[401] == LIMIT
    assert burst.keys() <= {401, 429, 503}
    assert more.keys() <= {401, 429}
    assert after_restart.keys() <= {429, 503}
    assert 1 <= int(refused.one("retry-after")) <= 900


def test_a_block_holds_in_all_workers_and_the_end_loses_no_note() -> None:
    """A row in the database shuts out, and its end lets in; the ops paths answer on.

    A refusal just before the workers were told to stop is in the trail, with the exhausted limit.
    """
    with migrated(SERVER__WORKERS="4", **OUT_OF_THE_WAY) as servers, database_of(servers) as database:
        SqlAccounts(database).add(Account(id="a" * 32, username="alice", created_at=0))
        SqlBlocks(database).put(Block("127.0.0.0/8", FOREVER, 0))
        wait_for_all_workers(servers, 403, "the block holds")
        while_shut = at_once(servers, AT_ONCE)
        ops = servers.ops("/readyz").status
        SqlBlocks(database).remove("127.0.0.0/8")
        wait_for_all_workers(servers, 200, "it holds no more")
        let_in = Counter(guess(servers).status for _ in range(LIMIT + 1))
        servers.end("gunicorn")
        told = Counter(entry.event for entry in SqlAudit(database, kept_seconds=FOREVER).entries(account="alice"))

    assert (while_shut, ops) == ({403: AT_ONCE}, 200)
    assert let_in == {401: LIMIT, 429: 1}
    assert told == {Happened.SIGN_IN_REFUSED: LIMIT, Happened.LIMIT_EXHAUSTED: 1}
