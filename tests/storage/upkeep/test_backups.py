"""Backups of an SQLite database: taken while others write, checked, whole or not there."""

import json
import os
import signal
from pathlib import Path

import pytest

from service.services.upkeep import BadBackup
from service.storage.engine.database import Database
from service.storage.engine.directory_lock import locked
from service.storage.upkeep import backups, manifest
from tests.rig.small_disk import fill, small_disk
from tests.settings import nobody
from tests.storage.backups import backed_up, rows, silent
from tests.storage.children import started
from tests.storage.place import Place
from tests.storage.stores import account, address_of, over, session


def test_others_write_while_it_is_taken(file_database: Database, tmp_path: Path) -> None:
    """With both journals sessions open and end meanwhile; every change from before is in it, and it is whole."""
    stores = over(file_database)
    stores.accounts.add(alice := account())
    with stores.transaction():
        for _ in range(1500):
            stores.sessions.add(session(alice.id, user_agent="x" * 4000))
    meanwhile: list[int] = []

    with started(("acknowledge", address_of(file_database), alice.id)) as (writer,):
        before = [writer.hear() for _ in range(4)]

        def show(step: str, done: int, whole: int) -> None:
            writer.hear()
            meanwhile.append(whole - done if step == "Copying" else 0)

        made = backed_up(file_database.path, tmp_path, show=show)

    assert max(meanwhile) > 0
    kept = rows(made.path / manifest.DATABASE, "sessions")
    for change, token in before:
        assert (token in kept) == (change == "kept")
    assert made == backups.verify(made.path, silent)


def test_a_journal_that_changes_meanwhile_is_no_backup(place: Place) -> None:
    """A file that is copied when a start gives it a write-ahead log is not compared without that log."""
    place.prepare().close()
    place.sql("PRAGMA journal_mode = DELETE")

    with pytest.raises(BadBackup, match="type it again"):
        backed_up(place.file, place.backups, show=lambda *_: place.sql("PRAGMA journal_mode = WAL"))

    assert [*place.backups.iterdir()] == []


def test_it_holds_what_was_handed_in_and_no_key(sqlite_file: Database, tmp_path: Path) -> None:
    """Files for their owner alone; a manifest with release, revision, digests, and the key's fingerprint."""
    key = b"a key of 32 characters or more....."

    made = backed_up(sqlite_file.path, tmp_path, files={"apps.d/wiki.toml": b"[app]"}, keys=[key])

    assert made.path == tmp_path / "vestibule-20270115T080000Z"
    found = {path.relative_to(made.path).as_posix(): path.stat().st_mode & 0o777 for path in made.path.rglob("*")}
    assert found == {manifest.FILE: 0o600, manifest.DATABASE: 0o600, "apps.d": 0o700, "apps.d/wiki.toml": 0o600}
    assert made.path.stat().st_mode & 0o777 == 0o700
    told = json.loads((made.path / manifest.FILE).read_text())
    assert told["files"].keys() == {manifest.DATABASE, "apps.d/wiki.toml"}
    assert made.secret_keys == (manifest.fingerprint(key),)
    assert not [path for path in made.path.rglob("*") if path.is_file() and key in path.read_bytes()]


def test_what_a_killed_one_left_is_removed(sqlite_file: Database, tmp_path: Path) -> None:
    """Nobody else's: what a backup that is under way holds stays."""
    dead, alive = (tmp_path / f".vestibule-{name}.unfinished" for name in ("dead", "alive"))
    dead.mkdir()
    alive.mkdir()

    with locked(alive):
        backed_up(sqlite_file.path, tmp_path)

    assert (dead.exists(), alive.exists()) == (False, True)


def test_a_signal_is_no_damage(sqlite_file: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that ends the command while it rests, in the midst of the check, is told from a damaged file."""
    monkeypatch.setattr(backups, "_STEPS_BETWEEN_RESTS", 1)
    assert sqlite_file.path

    with pytest.raises(KeyboardInterrupt):
        backups.rows_of(sqlite_file.path, lambda: signal.raise_signal(signal.SIGINT))


def test_two_in_one_second_are_told_apart(sqlite_file: Database, tmp_path: Path) -> None:
    """A backup that begins beside another says so, and leaves that one alone."""
    second: list[str] = []

    def begin(*_: object) -> None:
        with pytest.raises(BadBackup) as refused:
            backed_up(sqlite_file.path, tmp_path)
        second.append(str(refused.value))

    made = backed_up(sqlite_file.path, tmp_path, show=begin)

    assert f"another backup began in {tmp_path} in this second: wait until it has ended" in second[0]
    assert made == backups.verify(made.path, silent)


def test_a_full_disk_leaves_nothing_half_behind(sqlite_file: Database, tmp_path: Path) -> None:
    """A disk that is too small is named before anything is written; one that fills up meanwhile is left as it was."""
    with small_disk(tmp_path / "disk", kilobytes=24_000) as disk:
        folder = disk / "folder"

        with pytest.raises(BadBackup, match=r"disk of .*/folder is full"):
            backed_up(sqlite_file.path, folder, show=lambda *_: fill(disk))
        assert [*folder.iterdir()] == []
        with pytest.raises(BadBackup, match=r"too little space, \d+ MB are needed, 0 MB are free"):
            backed_up(sqlite_file.path, folder)
        assert [*folder.iterdir()] == []


@nobody.root_only
def test_a_folder_that_cannot_be_written_is_named(memory_path: Path) -> None:
    """The service's user is told what to type, or to choose another path."""
    database, folder = memory_path / "vestibule.sqlite3", memory_path / "folder"
    folder.mkdir()
    for each in (memory_path, database):
        each.touch()
        nobody.give(each)

    def refusal() -> str:
        with pytest.raises(BadBackup) as refused:
            backed_up(database, folder)
        return str(refused.value)

    said = nobody.asked(refusal)()

    assert f"no backup of {database} was made" in said
    assert f"{folder} (owner 0, mode 0755) must be readable and writable by user 65534: choose another path" in said


@nobody.root_only
@pytest.mark.parametrize("closed", [".", "manifest.json", "vestibule.sqlite3"])
def test_what_another_user_made_is_named(memory_path: Path, sqlite_file: Database, closed: str) -> None:
    """A backup of root's that the service's user verifies or restores: no traceback, and what to type."""
    made = backed_up(sqlite_file.path, memory_path).path
    for path in (made.parent, made, *made.iterdir()):
        nobody.give(path)
    os.chown(made / closed, 0, 0)

    def refusal() -> str:
        with pytest.raises(BadBackup) as refused:
            backups.verify(made, silent)
        return str(refused.value)

    said = nobody.asked(refusal)()

    assert f"user 65534 may not read {made / closed if closed != '.' else made}" in said
    assert f"type this as root or, where it belongs to the service alone: sudo chown -R 65534:65534 {made}" in said
