"""What stops the start: an SQLite file that is damaged, lost, too new, another program's, or may not be opened."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from service.settings import load
from service.storage.engine.database import Database
from service.storage.upkeep import revision, schema
from service.storage.upkeep.schema import SchemaFault
from service.upkeep import upgrade
from tests.rig.parts import ROOT, unprivileged
from tests.storage.place import Place
from tests.storage.stores import account, over


@pytest.mark.parametrize("damage", ["text", "header", "cut", "middle"])
def test_a_damaged_file_stops_the_start(place: Place, damage: str) -> None:
    """A damaged file is left as it is, and the message says where copies are."""
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
    """A file with another program's tables is refused, and gets none of Vestibule's."""
    place.state_dir.mkdir()
    place.sql("CREATE TABLE photos (id)")

    assert "not Vestibule's" in place.refusal()


@pytest.mark.parametrize(
    "forgotten",
    [
        "DELETE FROM alembic_version",
        "INSERT INTO alembic_version VALUES ('0001')",
        "UPDATE alembic_version SET version_num = '0000'",
        "UPDATE alembic_version SET version_num = '4'",
        "DELETE FROM schema_info",
        "UPDATE schema_info SET value = 'first'",
    ],
)
def test_a_database_that_does_not_know_its_release_is_refused(place: Place, forgotten: str) -> None:
    """A database without one revision and one oldest release is not repaired."""
    place.prepare().close()
    place.sql(forgotten)

    assert "which release" in place.refusal()


@pytest.mark.parametrize("table", ["accounts", "sessions"])
def test_a_database_that_lacks_a_table_is_refused(place: Place, table: str) -> None:
    """One that was restored in part: `db upgrade` does not say that its tables are those of this release."""
    place.prepare().close()
    place.sql(f"DROP TABLE {table}")

    assert f"lacks the table {table}" in place.refusal()


@pytest.mark.parametrize("release", ["0.1.1", "0.10.0", "1.0.0", "10.0.0"])
def test_a_database_of_a_later_release_is_refused(place: Place, release: str) -> None:
    """The message names the release that is needed; versions are compared as numbers."""
    place.prepare().close()
    later = f"UPDATE schema_info SET value = '{release}'"  # noqa: S608 - our own parameter
    place.sql(later, "UPDATE alembic_version SET version_num = '0009'")

    assert f"needs Vestibule {release} or later" in place.refusal()


@pytest.mark.parametrize("release", ["0.2.0", "0.2.0rc1", "0.2.0a1.dev3", "0.2.0.post1"])
def test_a_pre_release_uses_the_tables_of_its_release(
    place: Place, monkeypatch: pytest.MonkeyPatch, release: str
) -> None:
    """0.2.0rc1 starts where 0.2.0 does, and is refused, in words, where 0.2.0 is."""
    place.prepare().close()
    monkeypatch.setattr(revision, "RELEASE", release)
    place.sql("UPDATE schema_info SET value = '0.2.0'")

    assert not schema.pending(place.prepare())

    place.sql("UPDATE schema_info SET value = '0.2.1'")
    assert f"needs Vestibule 0.2.1 or later, this is {release}" in place.refusal()


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
        place.file.touch(0o600)
    if loss == "without tables":
        place.sql("CREATE TABLE a (b)", "DROP TABLE a")

    refusal = place.refusal()

    assert "there was a database" in refusal
    assert f"rm -f '{place.state_dir / 'database.made'}'" in refusal


def test_a_lost_database_outside_the_state_directory_is_not_made_by_the_command(tmp_path: Path) -> None:
    """`db upgrade` has the same memory as a start: the state directory's, wherever the file itself lies."""
    (volume := tmp_path / "volume").mkdir()
    settings = load({"VESTIBULE_STATE_DIR": str(tmp_path / "state"), "VESTIBULE_DATABASE_URL": f"sqlite:///{volume}/v"})
    upgrade(settings, 0)
    for file in volume.iterdir():
        file.unlink()

    with pytest.raises(SchemaFault, match="there was a database"):
        upgrade(settings, 0)

    assert not (volume / "v").exists()


def test_a_log_without_its_database_is_not_thrown_away(place: Place) -> None:
    """Commits that were never merged lie in the log: an empty file beside it is a loss."""
    place.state_dir.mkdir()
    log = place.state_dir / "vestibule.sqlite3-wal"
    log.touch(0o600)
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
    place = Place(tmp_path / "a state")
    place.prepare().close()
    place.file.chmod(0)

    start = (
        "from pathlib import Path; from service.storage.upkeep import schema;"
        "from service.storage.engine.database import Database;"
        f"schema.prepare(Database({place.address!r}), backups=Path({str(place.backups)!r}), now=0)"
    )
    command = unprivileged(sys.executable, "-B", "-c", start)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert f"SchemaFault: {place.state_dir}" in done.stderr
    assert "cannot be read and written by user" in done.stderr
    assert re.search(rf"sudo chown -RH \d+:\d+ '{place.state_dir}", done.stderr)
