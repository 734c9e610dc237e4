"""Plain dumps of PostgreSQL, as pg_dump makes them: whole ones are told from others, line by line."""

import gzip
import os
import subprocess
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from service.services.upkeep import Backup, BadBackup
from service.storage.engine.database import Database
from service.storage.upkeep import dump, schema
from service.storage.upkeep.schema import HEAD, OLDEST_RELEASE
from tests.rig.parts import need
from tests.rig.postgres import Postgres
from tests.storage.backups import silent
from tests.storage.place import upgrade_server
from tests.storage.stores import NOW, account, over, session

AWKWARD: Final = "COPY accounts (id) FROM stdin;\n\\.\n-- PostgreSQL database dump complete\n\t\\N"


@pytest.fixture(scope="module")
def pg_dump(postgres: Postgres) -> Callable[..., bytes]:
    """Return what pg_dump writes of a database with three accounts, one of them with awkward text."""
    database = Database(address := postgres.new_database())
    upgrade_server(database)
    stores = over(database)
    for name in ("alice", "bob"):
        stores.accounts.add(account(name))
    stores.accounts.add(carol := account("carol", display_name=AWKWARD))
    stores.sessions.add(session(carol.id, user_agent=AWKWARD))
    database.close()
    program = need("pg_dump")

    @cache
    def dumped(*options: str) -> bytes:
        return subprocess.run([program, *options, address], capture_output=True, check=True).stdout

    return dumped


def verified(tmp_path: Path, content: bytes) -> Backup:
    """Verify a dump that was written at NOW."""
    path = tmp_path / "vestibule.sql"
    path.write_bytes(content)
    os.utime(path, (NOW, NOW))
    return dump.verify(path, silent)


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_a_whole_dump_is_counted(
    pg_dump: Callable[..., bytes], tmp_path: Path, packed: Callable[[bytes], bytes]
) -> None:
    """Plain or packed: its rows, whatever text is in them, its revision, the oldest release, and the file's time."""
    found = verified(tmp_path, packed(pg_dump()))

    assert (found.rows["accounts"], found.rows["sessions"], found.rows["links"]) == (3, 1, 0)
    assert (found.engine, found.revision, found.oldest_release) == ("postgresql", HEAD, OLDEST_RELEASE)
    assert found.made_at == NOW


def test_a_whole_dump_can_be_restored(pg_dump: Callable[..., bytes], postgres: Postgres, tmp_path: Path) -> None:
    """psql makes of it, in an empty database, one that this release takes as it is, as docs/operating.md says."""
    path = tmp_path / "vestibule.sql"
    path.write_bytes(pg_dump("--no-owner"))
    psql = [str(need("psql")), "--quiet", "--no-psqlrc", address := postgres.new_database()]

    subprocess.run([*psql, "--single-transaction", "--set=ON_ERROR_STOP=1", f"--file={path}"], check=True)
    subprocess.run([*psql, "--command=DELETE FROM sessions", "--command=DELETE FROM links"], check=True)

    with closing(Database(address)) as database:
        assert not schema.pending(database)
        assert [found.display_name for found in over(database).accounts.all()][-1] == AWKWARD
        assert list(over(database).sessions.all()) == []


def _cut(content: bytes) -> bytes:
    return content[: content.index(b"carol")]


BAD: Final[dict[str, Callable[[Callable[..., bytes]], bytes]]] = {
    "is cut short in the table": lambda pg_dump: _cut(pg_dump()),
    "is cut short: its last line is not that of": lambda pg_dump: pg_dump().rpartition(b"--\n-- PostgreSQL")[0],
    "is cut short: its last line": lambda pg_dump: pg_dump() + _cut(pg_dump()).rpartition(b"COPY")[0],
    "has a line that pg_dump": lambda pg_dump: gzip.compress(pg_dump() + bytes(2 * 1024 * 1024)),
    "does not say which release": lambda pg_dump: pg_dump().replace(f"\n{HEAD}\n".encode(), b"\n\xff\n"),
    "is cut short or damaged": lambda pg_dump: gzip.compress(pg_dump())[:-200],
    "is cut short or damaged (CRC": lambda pg_dump: gzip.compress(pg_dump())[:-8] + bytes(8),
    "is not a plain dump: make it with pg_dump --format=plain": lambda pg_dump: pg_dump("--format=custom"),
    "it has no rows (COPY) of accounts": lambda pg_dump: pg_dump("--inserts"),
    "it has no rows (COPY) of alembic_version": lambda pg_dump: pg_dump("--exclude-table=alembic_version"),
    "is no dump of PostgreSQL": lambda _: b"Dear diary,\n" * 100,
    "is no dump": lambda _: b"",
    "needs Vestibule 9.0.0 or later": lambda pg_dump: pg_dump().replace(
        f"oldest_release\t{OLDEST_RELEASE}".encode(), b"oldest_release\t9.0.0"
    ),
    "which release it belongs to": lambda pg_dump: pg_dump().replace(
        f"oldest_release\t{OLDEST_RELEASE}".encode(), b"oldest_release\t" + b"9" * 5000 + b".0.0"
    ),
}


@pytest.mark.parametrize("why", BAD)
def test_a_bad_dump_is_refused(pg_dump: Callable[..., bytes], tmp_path: Path, why: str) -> None:
    """Cut short, damaged, of another kind, program or release: what is wrong, where, and what to type."""
    with pytest.raises(BadBackup) as refused:
        verified(tmp_path, BAD[why](pg_dump))

    assert why in str(refused.value)
    assert str(tmp_path / "vestibule.sql") in str(refused.value)


def test_a_pipe_is_no_dump(tmp_path: Path) -> None:
    """What may never end is not read."""
    os.mkfifo(path := tmp_path / "vestibule.sql")

    with pytest.raises(BadBackup, match="neither a file nor a directory"):
        dump.verify(path, silent)
