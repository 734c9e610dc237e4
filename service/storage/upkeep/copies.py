"""Copies of an SQLite database: taken while others use it, checked, the last few kept."""

import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from service import state_dir
from service.as_owner import as_owner_of
from service.storage.engine import sqlite

KEPT: Final = 3
_READ_ONLY: Final = "?mode=ro"


class BadCopy(Exception):
    """The copy could not be made, or is damaged."""


def copy(database: Path, folder: Path, *, label: str, now: int) -> Path:
    """Copy the database into the folder, check the copy, and remove all but the last few. Raises BadCopy."""
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    target = folder / f"{database.stem}-{moment}-{label}.sqlite3"
    unchecked = target.with_suffix(".unchecked")
    try:
        with as_owner_of(folder):
            state_dir.make_folder(folder)
            _fill(database, unchecked)
            unchecked.replace(target)
            state_dir.sync(folder)
            for old in sorted(folder.glob(f"{database.stem}-*.sqlite3"))[:-KEPT]:
                old.unlink()
    except (OSError, sqlite.DRIVER.Error) as failure:
        fault = state_dir.fault_of_disk(folder) or str(failure)
        with suppress(OSError):
            unchecked.unlink()
        raise BadCopy(fault) from failure
    return target


def integrity_fault(connection: sqlite3.Connection) -> str | None:
    """Return the first damage in the pages and indexes of the database, or None."""
    said = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    return None if said == "ok" else str(said)


def _fill(database: Path, unchecked: Path) -> None:
    unchecked.unlink(missing_ok=True)
    state_dir.make_file(unchecked)
    with (
        closing(sqlite.DRIVER.connect(f"{database.as_uri()}{_READ_ONLY}", uri=True)) as source,
        closing(sqlite.DRIVER.connect(unchecked)) as target,
    ):
        source.backup(target)
        # The copy is one file, without a write-ahead log beside it.
        target.execute("PRAGMA journal_mode = DELETE")
        if fault := integrity_fault(target):
            raise BadCopy(fault)
    state_dir.sync(unchecked)
