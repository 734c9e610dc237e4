"""The people of the benchmarks: accounts that share one password, and sessions, straight into the SQLite file.

In another database few people are made, without sessions.
"""

from contextlib import closing
from pathlib import Path
from typing import Final

from service.login.passwords import Parameters, Passwords
from service.settings import Settings
from service.storage.engine.sqlite import DRIVER
from tests.rig import accounts
from tests.rig.passwords import PASSWORD
from tests.rig.servers import Servers

_ACCOUNTS: Final = """
INSERT INTO accounts (id, username, created_at, display_name, email, is_admin, password_hash, password_changed_at)
WITH RECURSIVE numbers (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < :people - 1)
SELECT lower(hex(randomblob(16))) AS id, 'person' || i, unixepoch(), 'A Person', 'person@example.org', 0, :hash,
       unixepoch() FROM numbers ORDER BY id"""
_SESSIONS: Final = """
INSERT INTO sessions (token_hash, id, account_id, created_at, seen_at, remembered, address, user_agent)
SELECT randomblob(32) AS hash, lower(hex(randomblob(6))), id, unixepoch(), unixepoch(), 0, '192.0.2.1',
       'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' FROM accounts ORDER BY hash"""


def parameters() -> Parameters:
    """Return the default cost of one hash."""
    chosen = Settings().passwords
    return Parameters(chosen.memory, chosen.iterations, chosen.parallelism)


def username(number: int) -> str:
    """Return the name of one of the people, counted from 0."""
    return f"person{number}"


def populate(servers: Servers, people: int) -> None:
    """Make the database, with so many accounts and a session for each. The servers are not started yet."""
    done = servers.vestibule("db", "upgrade")
    assert done.returncode == 0, done.stderr
    if "VESTIBULE_DATABASE_URL" in servers.environ:
        accounts.add(servers, {username(number): {} for number in range(people)})
        return
    _fill(servers.state_dir / "vestibule.sqlite3", people)


def _fill(database: Path, people: int) -> None:
    """Secondary indexes are made afterwards: that is three times faster."""
    with closing(DRIVER.connect(database, isolation_level=None)) as connection:
        for pragma in ("journal_mode = MEMORY", "synchronous = OFF", "cache_size = -400000"):
            connection.execute(f"PRAGMA {pragma}")
        made = "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'sessions' AND type = 'index' AND sql IS NOT NULL"
        indexes = connection.execute(made).fetchall()
        connection.execute("BEGIN")
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute(_ACCOUNTS, {"people": people, "hash": Passwords(parameters()).hash(PASSWORD)})
        connection.execute(_SESSIONS)
        for _, sql in indexes:
            connection.execute(sql)
        connection.execute("COMMIT")
