"""Making an SQLite file ready at the start: new, from an older release, by several processes, and what it refuses."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.storage import backup, counters, links, schema, sessions  # noqa: F401 - their tables
from service.storage.database import Database, metadata
from service.storage.schema import SchemaFault
from tests.rig.parts import ROOT, unprivileged
from tests.storage.children import together
from tests.storage.stores import NOW, account, link, over, session

# A step as a later release may bring: SQLite rebuilds a table that others refer to.
LATER_STEP = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    recreate = "always" if op.get_context().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("accounts", recreate=recreate) as accounts:
        accounts.add_column(sa.Column("pronouns", sa.Text))
"""


@pytest.fixture
def place(tmp_path: Path) -> "Place":
    """An empty state directory."""
    return Place(tmp_path / "state")


class Place:
    """A state directory, and its database as a service starting there finds it."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.file = state_dir / "vestibule.sqlite3"
        self.backups = state_dir / "backups"
        self.address = f"sqlite:///{self.file}"

    def prepare(self, *, now: int = NOW) -> Database:
        """Make the database ready."""
        database = Database(self.address)
        schema.prepare(database, backups=self.backups, now=now)
        return database

    def refusal(self) -> str:
        """Return why the start is refused, having seen that nothing was changed."""
        before = self.file.read_bytes() if self.file.exists() else b""
        with pytest.raises(SchemaFault) as fault:
            self.prepare()
        after = self.file.read_bytes() if self.file.exists() else b""
        assert before == after
        return str(fault.value)

    def sql(self, *statements: str) -> list[Any]:
        """Do something to the file that the service would not."""
        with closing(sqlite3.connect(self.file)) as connection:
            rows = [row for statement in statements for row in connection.execute(statement)]
            connection.commit()
        return rows


@pytest.fixture
def later_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The migrations of a release that comes after this one, in use from here on."""
    migrations = tmp_path / "migrations"
    shutil.copytree(schema._MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    (migrations / "versions/0002_later.py").write_text(LATER_STEP)
    monkeypatch.setattr(schema, "_MIGRATIONS", migrations)
    monkeypatch.setattr(schema, "HEAD", "0002")
    return migrations


def test_head_is_alembics_head() -> None:
    """What the service compares with, without importing Alembic, is the last step there is."""
    assert ScriptDirectory(str(schema._MIGRATIONS)).get_current_head() == schema.HEAD


def test_the_steps_make_the_tables_that_the_queries_know(database: Database) -> None:
    """The migrated database and the tables beside the queries are the same, on every engine."""

    def compared(_object: object, name: str | None, kind: str, *_: object) -> bool:
        return not (database.path and kind == "table" and name == "counters")

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
    assert place.sql("SELECT version_num FROM alembic_version") == [("0002",)]


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
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    way_back = caplog.messages[-1].rpartition("then: ")[2]
    assert os.system(way_back) == 0  # noqa: S605 - our own log line, which an operator would type
    assert place.sql("SELECT version_num FROM alembic_version") == [("0001",)]
    assert place.sql("SELECT username FROM accounts") == [("alice",)]


def test_the_last_three_copies_are_kept(place: Place) -> None:
    """Older ones go, whatever else lies there stays."""
    place.prepare().close()
    place.backups.mkdir()
    (place.backups / "notes.txt").touch()

    for day in range(5):
        backup.copy(place.file, place.backups, label="0001", now=NOW + day * 86400)

    kept = sorted(path.name for path in place.backups.iterdir())
    assert kept == ["notes.txt", *(f"vestibule-202701{day}T080000Z-0001.sqlite3" for day in (17, 18, 19))]


def test_without_a_sound_copy_nothing_is_migrated(place: Place, request: pytest.FixtureRequest) -> None:
    """When the copy cannot be kept, the start is refused and the database is as before."""
    place.prepare().close()
    place.backups.write_text("not a directory")
    request.getfixturevalue("later_release")

    assert "no sound copy" in place.refusal()
    assert place.sql("SELECT version_num FROM alembic_version") == [("0001",)]


def test_a_failed_step_leaves_everything_as_it_was(
    place: Place, later_release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps run in one transaction: a fault in the last one undoes the first."""
    monkeypatch.setattr(schema, "HEAD", "0001")
    over(place.prepare()).accounts.add(alice := account())
    broken = LATER_STEP + "    raise RuntimeError('power')\n"
    (later_release / "versions/0002_later.py").write_text(broken)
    monkeypatch.setattr(schema, "HEAD", "0002")

    with pytest.raises(RuntimeError, match="power"):
        place.prepare()

    monkeypatch.setattr(schema, "HEAD", "0001")
    assert alice == over(place.prepare()).accounts.by_username("alice")
    assert not [name for (name,) in place.sql("SELECT name FROM sqlite_schema") if "tmp" in name]


def test_processes_that_start_at_once_upgrade_once(place: Place, request: pytest.FixtureRequest) -> None:
    """Four processes at the same time, first on no database, then on one of an older release: none is refused."""
    fresh = together(*[("prepare", place.address, str(place.state_dir), "0001")] * 4)
    over(Database(place.address)).accounts.add(account())
    migrations = request.getfixturevalue("later_release")
    later = together(*[("prepare", place.address, str(place.state_dir), "0002", str(migrations))] * 4)

    assert fresh == later == [""] * 4
    assert len(list(place.backups.iterdir())) == 1
    assert place.sql("SELECT username FROM accounts") == [("alice",)]


def test_upgrade_says_what_it_did(place: Place) -> None:
    """The operator's command works on a file too."""
    assert schema.HEAD in schema.upgrade(Database(place.address))


# --- what is refused ---


@pytest.mark.parametrize("damage", ["text", "header", "cut", "middle"])
def test_a_damaged_file_stops_the_start(place: Place, damage: str) -> None:
    """Whatever is wrong with it, the file is left as it is, and the message says where copies are."""
    stores = over(database := place.prepare())
    with stores.transaction():
        for number in range(300):
            stores.accounts.add(account(f"person-{number}"))
    database.close()
    whole = place.file.read_bytes()
    place.file.write_bytes(
        {
            "text": b"Dear diary,\n" * 1000,
            "header": b"\0" * 100 + whole[100:],
            "cut": whole[: len(whole) // 2],
            "middle": whole[:8192] + b"\xaa" * 16384 + whole[24576:],
        }[damage]
    )

    refusal = place.refusal()

    assert str(place.file) in refusal
    assert "damaged" in refusal


def test_another_programs_database_is_left_alone(place: Place) -> None:
    """A file with somebody else's tables is refused, and gets none of ours."""
    place.state_dir.mkdir()
    place.sql("CREATE TABLE photos (id)")

    assert "not Vestibule's" in place.refusal()


@pytest.mark.parametrize("forgotten", ["DELETE FROM alembic_version", "DELETE FROM house"])
def test_a_database_that_does_not_know_its_release_is_refused(place: Place, forgotten: str) -> None:
    """Half of our tables is not ours to repair."""
    place.prepare().close()
    place.sql(forgotten)

    assert "which release" in place.refusal()


@pytest.mark.parametrize("release", ["0.1.1", "0.10.0", "1.0.0", "10.0.0"])
def test_a_database_of_a_later_release_is_refused(place: Place, release: str) -> None:
    """The message names the release that is needed; versions are compared as numbers."""
    place.prepare().close()
    later = f"UPDATE house SET value = '{release}'"  # noqa: S608 - our own parameter
    place.sql(later, "UPDATE alembic_version SET version_num = '0009'")

    assert f"needs Vestibule {release} or later" in place.refusal()


def test_a_later_database_that_allows_this_release_is_used(place: Place) -> None:
    """After a roll-back the older release goes on with tables that only grew."""
    place.prepare().close()
    place.sql("UPDATE alembic_version SET version_num = '0009'")

    database = place.prepare()

    assert not schema.pending(database)
    assert place.sql("SELECT version_num FROM alembic_version") == [("0009",)]


@pytest.mark.parametrize("loss", ["missing", "empty", "without tables"])
def test_a_lost_database_is_not_replaced(place: Place, loss: str) -> None:
    """Where a database was made before, a missing or empty file stops the start; so does one without a table."""
    over(place.prepare()).accounts.add(account())
    Database(place.address).close()
    for leftover in place.state_dir.glob("vestibule.sqlite3*"):
        leftover.unlink()
    if loss == "empty":
        place.file.touch()
    if loss == "without tables":
        place.sql("CREATE TABLE a (b)", "DROP TABLE a")

    refusal = place.refusal()

    assert "there was a database" in refusal
    assert f"rm -f {place.state_dir / 'database.made'}" in refusal


def test_a_log_without_its_database_is_not_thrown_away(place: Place) -> None:
    """Commits that were never merged lie in the log: an empty file beside it is a loss."""
    place.state_dir.mkdir()
    log = place.state_dir / "vestibule.sqlite3-wal"
    log.write_bytes(b"commits")

    assert "there was a database" in place.refusal()
    assert log.read_bytes() == b"commits"


def test_an_operator_may_begin_anew(place: Place) -> None:
    """What the message says to remove is what stands in the way."""
    place.prepare().close()
    for file in place.state_dir.glob("vestibule.sqlite3*"):
        file.unlink()

    (place.state_dir / "database.made").unlink()

    assert over(place.prepare()).accounts.count() == {"active": 0, "disabled": 0, "invited": 0}


def test_an_interrupted_first_start_is_begun_again(place: Place) -> None:
    """An empty file that no start has finished is no loss."""
    place.state_dir.mkdir()
    place.file.touch(0o600)

    assert not schema.pending(place.prepare())


def test_a_file_that_may_not_be_opened_stops_the_start(tmp_path: Path) -> None:
    """The message names the file, the user, and what to type."""
    place = Place(tmp_path / "state")
    place.prepare().close()
    place.file.chmod(0)

    start = (
        "from pathlib import Path; from service.storage import schema; from service.storage.database import Database;"
        f"schema.prepare(Database({place.address!r}), backups=Path({str(place.backups)!r}), now=0)"
    )
    command = unprivileged(sys.executable, "-B", "-c", start)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert f"SchemaFault: {place.state_dir}" in done.stderr
    assert "cannot be read and written by user" in done.stderr
    assert "chown" in done.stderr
