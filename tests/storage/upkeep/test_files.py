"""The owners of the files, and what a file that an attacker planted cannot do."""

import contextlib
import os
from pathlib import Path

import pytest

from service import state_dir
from service.app import build_services
from service.settings import SettingsFault, load
from service.storage.counting.counter_file import CounterFile
from service.storage.counting.sql_counters import SqlCounters
from service.storage.engine.database import Database
from service.storage.upkeep import copies, schema
from service.storage.upkeep.schema import SchemaFault
from tests.settings.nobody import give_to_foreign_group
from tests.storage.place import Place
from tests.storage.stores import NOW, account, over

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")


@root_only
def test_root_makes_files_for_the_directorys_owner(tmp_path: Path) -> None:
    """A command that root typed leaves nothing behind that the service cannot open: database, log, copies, notes."""
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    os.chown(state_dir, 4711, 4712)
    database = Database(f"sqlite:///{state_dir / 'vestibule.sqlite3'}")

    schema.prepare(database, backups=state_dir / "backups", now=NOW)
    over(database).accounts.add(account())
    SqlCounters(rows=CounterFile(state_dir / "counters.sqlite3")).incr("a", 60)
    copies.copy(state_dir / "vestibule.sqlite3", state_dir / "backups", label="0002", now=NOW)

    found = {str(path.relative_to(state_dir)): path.stat() for path in state_dir.rglob("*")}
    assert {(4711, 4712)} == {(stat.st_uid, stat.st_gid) for stat in found.values()}
    assert {0o600, 0o700} == {stat.st_mode & 0o777 for stat in found.values()}
    database.close()


@pytest.mark.parametrize("planted", ["vestibule.sqlite3", "database.made"])
def test_a_planted_link_is_not_followed(tmp_path: Path, planted: str) -> None:
    """No file is made, or given to another user, where a symbolic link in the state directory points."""
    state_dir, elsewhere = tmp_path / "state", tmp_path / "elsewhere"
    state_dir.mkdir()
    (state_dir / planted).symlink_to(elsewhere)
    database = Database(f"sqlite:///{state_dir / 'vestibule.sqlite3'}")

    with contextlib.suppress(SchemaFault):
        schema.prepare(database, backups=state_dir / "backups", now=NOW)

    assert not elsewhere.exists()
    database.close()


NAMES = ("vestibule.sqlite3", "vestibule.sqlite3.lock", "vestibule.sqlite3-journal", "vestibule.sqlite3-wal")


@root_only
@pytest.mark.parametrize("planted", ["secret-key", "database.made", "counters.sqlite3", *NAMES])
def test_root_follows_no_link_to_a_file_of_another_user(tmp_path: Path, planted: str) -> None:
    """The owner of the state directory leads root to no file of root's: it keeps content and rights, and is named."""
    state, foreign = tmp_path / "state", tmp_path / "foreign"
    state.mkdir()
    foreign.touch(0o640)
    (state / planted).symlink_to(foreign)
    for each in (state, state / planted):
        os.chown(each, 4711, 4712, follow_symlinks=False)
    settings = load({"VESTIBULE_STATE_DIR": str(state)})

    with pytest.raises((SchemaFault, SettingsFault)) as refused:
        build_services(settings)

    assert f"{state / planted} is a symbolic link to a file of another user (0): remove it" in str(refused.value)
    assert (foreign.read_bytes(), foreign.stat().st_mode & 0o777) == (b"", 0o640)
    assert {path.name for path in tmp_path.iterdir()} == {"state", "foreign"}


@root_only
def test_root_keeps_no_copy_behind_a_link_of_the_owner(place: Place) -> None:
    """A directory of copies that is a link of the state directory's owner is refused, and nothing is migrated."""
    elsewhere = place.state_dir.with_name("elsewhere")
    for each in (place.state_dir, elsewhere):
        each.mkdir()
    place.backups.symlink_to(elsewhere)
    os.chown(place.backups, 4711, 4712, follow_symlinks=False)

    with pytest.raises(copies.BadCopy, match="a symbolic link of another user: remove it"):
        copies.copy(place.file, place.backups, label="0002", now=NOW)
    assert [*elsewhere.iterdir()] == []


def test_a_name_that_is_taken_is_not_made_again(tmp_path: Path) -> None:
    """Making a private file never changes one that is there."""
    (tmp_path / "file").write_text("kept")

    with pytest.raises(FileExistsError):
        state_dir.make_file(tmp_path / "file")

    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("name", ["a b", "100%", "what?", "hash#tag", "ünï", "quote'\""])
def test_a_state_directory_may_have_any_name(tmp_path: Path, name: str) -> None:
    """Characters that mean something in an address are parts of a name here."""
    state_dir = tmp_path / name
    database = Database(f"sqlite:///{state_dir / 'vestibule.sqlite3'}")

    schema.prepare(database, backups=state_dir / "backups", now=NOW)
    over(database).accounts.add(alice := account())
    copies.copy(state_dir / "vestibule.sqlite3", state_dir / "backups", label="0002", now=NOW)

    assert alice == over(database).accounts.by_username("alice")
    assert (state_dir / "vestibule.sqlite3").is_file()
    database.close()


@pytest.mark.parametrize("rights", [0o604, 0o602, 0o640, 0o620, 0o666])
@pytest.mark.parametrize(
    "name",
    [
        *("vestibule.sqlite3", "vestibule.sqlite3-wal", "vestibule.sqlite3-shm", "vestibule.sqlite3-journal"),
        *("counters.sqlite3", "counters.sqlite3-wal", "database.made", "backups/vestibule-1-0002.sqlite3"),
    ],
)
def test_a_file_that_others_may_read_or_write_stops_the_start(place: Place, name: str, rights: int) -> None:
    """As with the key: the message names the file, and what it says to type is what lets the service start."""
    place.prepare().close()
    (file := place.state_dir / name).parent.mkdir(exist_ok=True)
    file.touch()
    if rights & 0o070:
        give_to_foreign_group(file)
    file.chmod(rights)

    said = place.refusal()
    (*_, command) = said.partition(": ")
    assert os.system(command) == 0  # noqa: S605 - our own message, which an operator would type

    assert str(file) in said
    place.prepare().close()


def test_one_command_mends_all_files(place: Place) -> None:
    """After `chmod -R` in a hurry the operator types one line, not one for each file."""
    place.prepare().close()
    for file in (wide := [place.file, place.state_dir / "database.made"]):
        file.chmod(0o644)

    assert place.refusal().endswith("chmod 600 " + " ".join(f"'{file}'" for file in wide))


@pytest.mark.parametrize("mode", [0o777, 0o2777, 0o1777])
def test_a_directory_that_all_may_write_to_holds_no_database(place: Place, mode: int) -> None:
    """Another user could put a database of their own in its place, or a journal beside it."""
    place.prepare().close()
    place.state_dir.chmod(mode)

    assert f"{place.state_dir} may be written by every user, who could replace {place.file.name}" in place.refusal()
