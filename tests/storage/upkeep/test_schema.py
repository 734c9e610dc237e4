"""Making an SQLite file ready at the start: a new one, one of an older release, by several processes at once."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.storage import audit, blocks, links, sessions  # noqa: F401 - their tables
from service.storage.counting import sql_counters  # noqa: F401 - their tables
from service.storage.engine.database import Database
from service.storage.engine.statement import metadata
from service.storage.upkeep import copies, schema
from tests.rig.parts import ROOT
from tests.storage.children import together
from tests.storage.place import HEAD, LATER, LATER_STEP, Place
from tests.storage.stores import NOW, account, link, over, session


def test_head_is_alembics_head() -> None:
    """What the service compares with, without importing Alembic, is the last step of the migrations."""
    assert ScriptDirectory(str(schema.MIGRATIONS)).get_current_head() == schema.HEAD


def test_the_steps_make_the_tables_that_the_queries_know(database: Database) -> None:
    """The migrated database and the tables beside the queries are the same, on every engine."""

    def compared(_object: object, name: str | None, kind: str, *_: object) -> bool:
        return not (database.path and kind == "table" and name in {"counters", "attempts"})

    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": compared, "compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_first_start_makes_a_private_database(place: Place) -> None:
    """File and directory are the owner's alone, and there is nothing left to upgrade."""
    database = place.prepare()

    assert not schema.pending(database)
    assert {path.stat().st_mode & 0o777 for path in place.state_dir.iterdir()} == {0o600}
    assert place.state_dir.stat().st_mode & 0o777 == 0o700


def test_a_start_leaves_nothing_open(place: Place) -> None:
    """Workers are forked afterwards: no file of the database stays open in the master."""
    place.prepare()

    opened = {os.path.realpath(handle) for handle in Path("/proc/self/fd").iterdir() if handle.exists()}
    assert not [path for path in opened if path.startswith(str(place.state_dir))]


def test_a_second_start_changes_nothing(place: Place) -> None:
    """Accounts are still there, no copy is made."""
    over(place.prepare()).accounts.add(alice := account())

    database = place.prepare()

    assert alice == over(database).accounts.by_username("alice")
    assert not place.backups.exists()


def test_an_upgrade_keeps_every_row(place: Place, request: pytest.FixtureRequest) -> None:
    """A step that rebuilds the accounts' table loses neither them nor what refers to them."""
    stores = over(place.prepare())
    stores.accounts.add(alice := account(groups=("staff",)))
    stores.sessions.add(kept := session(alice.id))
    stores.links.put(reset := link(alice.id))
    request.getfixturevalue("later_release")

    stores = over(place.prepare())

    found = stores.sessions.find(kept.token_hash)
    assert found
    assert (kept, alice) == (found.session, found.account)
    assert reset == stores.links.find(reset.token_hash)
    assert place.sql("SELECT version_num FROM alembic_version") == [(LATER,)]


def test_before_an_upgrade_a_copy_is_kept(
    place: Place, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """The copy is private and whole, and is from before; the log says how to go back to it, and that works."""
    over(place.prepare()).accounts.add(account())
    request.getfixturevalue("later_release")

    place.prepare().close()

    (copy,) = place.backups.iterdir()
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
    said, _, way_back = caplog.messages[-1].rpartition("then: ")
    assert said.startswith(f"releases from {schema.OLDEST_RELEASE} on can use the new tables. An older one needs ")
    assert os.system(way_back) == 0  # noqa: S605 - our own log line, which an operator would type
    assert place.sql("SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert place.sql("SELECT username FROM accounts") == [("alice",)]


def test_a_migration_is_one_line_of_the_log(tmp_path: Path) -> None:
    """A first start in a process of its own: what was done, and nothing of how the tool goes about it."""
    start = (
        "import logging; logging.basicConfig(level=logging.INFO, format='%(message)s'); from pathlib import Path;"
        "from service.storage.upkeep import schema; from service.storage.engine.database import Database;"
        f"schema.prepare(Database('sqlite:///{tmp_path}/v'), backups=Path('{tmp_path}/backups'), now=0)"
    )

    done = subprocess.run([sys.executable, "-B", "-c", start], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stderr == f"the database got its tables, revision {schema.HEAD}\n"


def test_the_last_three_copies_are_kept(place: Place) -> None:
    """Older ones are deleted, other files stay."""
    place.prepare().close()
    place.backups.mkdir()
    (place.backups / "notes.txt").touch()

    for day in range(5):
        copies.copy(place.file, place.backups, label=HEAD, now=NOW + day * 86400)

    kept = sorted(path.name for path in place.backups.iterdir())
    assert kept == ["notes.txt", *(f"vestibule-202701{day}T080000Z-{HEAD}.sqlite3" for day in (17, 18, 19))]


def test_without_a_sound_copy_nothing_is_migrated(place: Place, request: pytest.FixtureRequest) -> None:
    """When the copy cannot be kept, the start is refused and the database is as before."""
    place.prepare().close()
    place.backups.write_text("not a directory")
    request.getfixturevalue("later_release")

    assert "no sound copy" in place.refusal()
    assert place.sql("SELECT version_num FROM alembic_version") == [(HEAD,)]


def test_a_failed_step_leaves_everything_as_it_was(
    place: Place, later_release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps run in one transaction: a fault in the last one undoes the first."""
    monkeypatch.setattr(schema, "HEAD", HEAD)
    over(place.prepare()).accounts.add(alice := account())
    broken = LATER_STEP + "    raise RuntimeError('power')\n"
    (later_release / f"versions/{LATER}_later.py").write_text(broken)
    monkeypatch.setattr(schema, "HEAD", LATER)

    with pytest.raises(RuntimeError, match="power"):
        place.prepare()

    monkeypatch.setattr(schema, "HEAD", HEAD)
    assert alice == over(place.prepare()).accounts.by_username("alice")
    assert not [name for (name,) in place.sql("SELECT name FROM sqlite_schema") if "tmp" in name]


def test_processes_that_start_at_once_upgrade_once(place: Place, request: pytest.FixtureRequest) -> None:
    """Four processes at the same time, first on no database, then on one of an older release: none is refused."""
    fresh = together(*[("prepare", place.address, str(place.state_dir), HEAD)] * 4)
    over(Database(place.address)).accounts.add(account())
    migrations = request.getfixturevalue("later_release")
    later = together(*[("prepare", place.address, str(place.state_dir), LATER, str(migrations))] * 4)

    assert fresh == later == [""] * 4
    assert len(list(place.backups.iterdir())) == 1
    assert place.sql("SELECT username FROM accounts") == [("alice",)]


def test_upgrade_says_what_it_did(place: Place) -> None:
    """The operator's command works on a file too."""
    assert schema.HEAD in schema.upgrade(Database(place.address), backups=place.backups, now=NOW)


def test_upgrade_of_the_release_before_says_what_there_is(
    database: Database, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the way back the tables stay, and the command names the revision that they have, not its own."""
    schema.upgrade(database, backups=place.backups, now=NOW)
    monkeypatch.setattr(schema, "HEAD", f"{int(HEAD) - 1:04}")

    assert f"is at revision {HEAD}" in schema.upgrade(database, backups=place.backups, now=NOW)
