"""Backups as tests make them and look into them."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from service.services.upkeep import Backup
from service.storage.upkeep import backups
from tests.storage.stores import NOW


def silent(_step: str, _done: int, _whole: int) -> None:
    """Show nothing."""


def backed_up(database: Path | None, folder: Path, **given: Any) -> Backup:
    """Make a backup."""
    assert database
    chosen: dict[str, Any] = {"files": {}, "keys": (), "now": NOW, "show": silent} | given
    return backups.make(database, folder, **chosen)


def rows(database: Path, table: str) -> set[Any]:
    """Return the first column of a table, read beside the service."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return {first for first, *_ in connection.execute(f"SELECT * FROM {table}")}  # noqa: S608
