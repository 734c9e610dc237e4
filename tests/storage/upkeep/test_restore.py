"""Restoring a backup: bad ones are refused, everybody is signed out, and no moment leaves neither database."""

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from service.services.upkeep import BadBackup
from service.storage.engine.database import Database
from service.storage.upkeep import backups, last_backup, manifest
from service.storage.upkeep.restore import restore
from tests.storage.backups import backed_up, rows, silent
from tests.storage.children import started
from tests.storage.place import Place
from tests.storage.stores import NOW, account, link, over, session

LATER: Final = "UPDATE schema_info SET value = '9.0.0' WHERE name = 'oldest_release'"


def _in_manifest(**changed: object) -> Callable[[Path], object]:
    """Return what changes the manifest of a backup."""

    def change(place: Path) -> None:
        told = json.loads((place / manifest.FILE).read_text())
        (place / manifest.FILE).write_text(json.dumps(told | changed))

    return change


def _in_database(statement: str) -> Callable[[Path], object]:
    """Return what changes the database of a backup, and has the manifest agree."""

    def change(place: Path) -> None:
        with closing(sqlite3.connect(place / manifest.DATABASE)) as connection:
            connection.execute(statement)
            connection.commit()
        found = manifest.described(place / manifest.DATABASE, lambda: None)
        replace(manifest.Manifest.read(place), files={manifest.DATABASE: found}).write(place)

    return change


def _cut(place: Path) -> None:
    os.truncate(place / manifest.DATABASE, 8192)


def _changed(place: Path) -> None:
    with (place / manifest.DATABASE).open("r+b") as file:
        file.seek(5000)
        file.write(b"\xaa" * 100)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


NOT_OURS: Final = "is not what `db backup` writes: take another backup"
# What is done to a backup, and what is said of it.
BAD: Final[dict[str, tuple[Callable[[Path], object], str]]] = {
    "no manifest": (lambda place: (place / manifest.FILE).unlink(), "it has no manifest.json"),
    "a pipe for a manifest": (lambda place: _pipe(place / manifest.FILE), "it has no manifest.json"),
    "a manifest that no memory holds": (
        lambda place: os.truncate(place / manifest.FILE, 2**40),
        "manifest.json cannot be read",
    ),
    "half a manifest": (lambda place: (place / manifest.FILE).write_text('{"format'), "manifest.json cannot be read"),
    "another program": (_in_manifest(program="photos"), "is a backup of another program"),
    "a later format": (
        _in_manifest(format=2, release="9.0.0"),
        "was made by a later release (9.0.0): install that one",
    ),
    "another engine": (_in_manifest(engine="postgresql"), "is of another engine (postgresql)"),
    "a list of files": (_in_manifest(files=[]), NOT_OURS),
    "odd fingerprints": (_in_manifest(secret_keys=[{}]), NOT_OURS),
    "a moment without a date": (_in_manifest(made_at=10**15), NOT_OURS),
    "a release that clears terminals": (_in_manifest(release="\x1b[2J"), NOT_OURS),
    "a file outside": (_in_manifest(files={manifest.DATABASE: {}, "../secret-key": {}}), NOT_OURS),
    "an odd name": (_in_manifest(files={manifest.DATABASE: {}, "a\0b": {}}), NOT_OURS),
    "a pipe for a database": (lambda place: _pipe(place / manifest.DATABASE), "vestibule.sqlite3 is not a file"),
    "cut short": (_cut, "vestibule.sqlite3 is cut short"),
    "changed": (_changed, "vestibule.sqlite3 is not as it was backed up"),
    "no database": (lambda place: (place / manifest.DATABASE).unlink(), "vestibule.sqlite3 cannot be read"),
    "a later release": (_in_database(LATER), "the database needs Vestibule 9.0.0 or later"),
    "no revision": (_in_database("DELETE FROM alembic_version"), "does not say which release"),
    "tables of others": (_in_database("DROP TABLE schema_info"), "is a database of another program"),
    "tables of others with our names": (_in_database("DROP TABLE sessions"), "is a database of another program"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_backup_is_refused_and_nothing_is_lost(place: Place, case: str) -> None:
    """`verify` and `restore` say what is wrong and where; the database in place stays as it is."""
    place.prepare().close()
    made = backed_up(place.file, place.state_dir / "db-backups").path
    before, files = place.file.read_bytes(), {*place.state_dir.iterdir()}
    change, why = BAD[case]
    change(made)

    for use in (lambda: backups.verify(made, silent), lambda: restored(made, place)):
        with pytest.raises(BadBackup) as refused:
            use()
        assert why in str(refused.value)
        assert str(made) in str(refused.value)

    assert place.file.read_bytes() == before
    assert {*place.state_dir.iterdir()} == files


def restored(made: Path, place: Place) -> tuple[Path | None, int]:
    """Restore a backup into a place."""
    return restore(made, place.file, by="operator root", now=NOW + 9, show=silent)


def test_a_restore_signs_everybody_out(place: Place) -> None:
    """Accounts are those of the backup; sessions and links end; the trail and the time of the backup say so."""
    stores = over(database := place.prepare())
    stores.accounts.add(alice := account())
    stores.sessions.add(signed_in := session(alice.id))
    stores.links.put(reset := link(alice.id))
    made = backed_up(place.file, place.state_dir / "db-backups").path
    stores.accounts.add(account("bob"))
    database.close()

    kept, ended = restored(made, place)

    stores = over(database := place.prepare())
    assert [found.username for found in stores.accounts.all()] == ["alice"]
    assert stores.sessions.find(signed_in.token_hash) is None
    assert stores.links.find(reset.token_hash) is None
    assert (ended, last_backup.read(database)) == (1, NOW)
    assert ("sys_restore", "operator root", made.name) in place.sql('SELECT event, "by", detail FROM audit')
    assert kept
    assert len(rows(kept, "accounts")) == 2
    assert kept.stat().st_mode & 0o777 == place.file.stat().st_mode & 0o777 == 0o600


def test_two_restores_in_one_second_keep_both(place: Place) -> None:
    """What the first one kept is not replaced: the second says so, and changes nothing."""
    place.prepare().close()
    made = backed_up(place.file, place.state_dir / "db-backups").path
    kept, _ = restored(made, place)
    before = place.file.read_bytes()

    with pytest.raises(BadBackup, match=f"{kept} exists already, of another restore in this second: type it again"):
        restored(made, place)

    assert place.file.read_bytes() == before


def test_a_restore_refuses_while_the_database_is_open(place: Place, file_database: Database) -> None:
    """A worker or a command that has it open keeps a restore away, with both journals; what begins is told."""
    assert file_database.path
    made = backed_up(file_database.path, place.state_dir).path
    file_database.ping()

    with pytest.raises(BadBackup, match=r"is in use by .*: stop the service"):
        restore(made, file_database.path, by="", now=NOW, show=silent)

    def ask(*_: object) -> None:
        assert file_database.ping() is False

    file_database.close()
    restore(made, file_database.path, by="", now=NOW, show=ask)
    assert file_database.ping()


def test_a_lost_or_damaged_database_is_restored(place: Place) -> None:
    """A damaged file is kept; a log without its database is not applied to the new one."""
    place.prepare().close()
    made = backed_up(place.file, place.state_dir / "db-backups").path
    place.file.write_bytes(b"Dear diary,\n" * 1000)

    kept, _ = restored(made, place)

    assert kept
    assert kept.read_bytes().startswith(b"Dear diary")
    kept.unlink()
    place.file.unlink()
    log = place.file.with_name(f"{place.file.name}-wal")
    log.write_bytes(b"a log" * 1000)
    assert restored(made, place)[0] is None
    assert kept.with_name(f"{kept.name}-wal").read_bytes().startswith(b"a log")
    assert not log.exists()
    assert place.prepare().ping()


def test_killed_at_any_moment_one_of_both_is_there(place: Place, tmp_path: Path) -> None:
    """After `kill -9` at any step of a restore the old database, with its log, is whole, or the new one is."""
    place.prepare().close()
    made = backed_up(place.file, tmp_path).path
    over(database := place.prepare()).accounts.add(account("since"))
    old = {path: path.read_bytes() for path in place.state_dir.glob("vestibule.sqlite3*")}
    database.close()
    found: list[tuple[int, int]] = []
    is_done = False

    while not is_done:
        for path, content in old.items():
            path.write_bytes(content)
            path.chmod(0o600)
        for kept in place.state_dir.glob("*.before-restore-*"):
            kept.unlink()
        with started(("restore_until", made, place.file, len(found))) as (child,):
            child.process.join()
            is_done = child.process.exitcode == 0
            assert child.kill() == []
        place.prepare().close()
        found.append((len(rows(place.file, "accounts")), len(rows(place.file, "audit"))))

    before, after = (1, 0), (0, 1)  # an account, and the entry that a restore makes
    assert found == [before] * found.count(before) + [after] * found.count(after)
    assert min(found.count(before), found.count(after)) > 0
    assert len(found) > 20
