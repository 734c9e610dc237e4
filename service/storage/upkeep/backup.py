"""Copies of an SQLite database: taken while others use it, checked, the last few kept."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from service.storage import private
from service.storage.engine import sqlite

KEPT: Final = 3
_READ_ONLY: Final = "?mode=ro"


class BadCopy(Exception):
    """The copy could not be made, or does not hold together."""


def copy(database: Path, folder: Path, *, label: str, now: int) -> Path:
    """Copy the database into the folder, check the copy, and remove all but the last few. Raises BadCopy."""
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    target = folder / f"{database.stem}-{moment}-{label}.sqlite3"
    unproven = target.with_suffix(".unproven")
    try:
        private.make_folder(folder)
        _fill(database, unproven)
        unproven.replace(target)
        _sync(folder)
    except (OSError, sqlite.DRIVER.Error) as failure:
        raise BadCopy(str(failure)) from failure
    for old in sorted(folder.glob(f"{database.stem}-*.sqlite3"))[:-KEPT]:
        old.unlink()
    return target


def whole(connection: sqlite3.Connection) -> str | None:
    """Return None when every page and every index of the database holds together, else the first thing wrong."""
    said = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    return None if said == "ok" else str(said)


def _fill(database: Path, unproven: Path) -> None:
    unproven.unlink(missing_ok=True)
    private.make_file(unproven)
    with (
        closing(sqlite.DRIVER.connect(f"{database.as_uri()}{_READ_ONLY}", uri=True)) as source,
        closing(sqlite.DRIVER.connect(unproven)) as target,
    ):
        source.backup(target)
        # One file is all there is to keep: not a log beside it.
        target.execute("PRAGMA journal_mode = DELETE")
        if fault := whole(target):
            raise BadCopy(fault)
    handle = os.open(unproven, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
