"""A copy of an SQLite database that other processes write to meanwhile, at leisure, so that they hardly notice.

With a write-ahead log one read transaction keeps what is copied as it was when the copy began. With a rollback journal
a reader keeps others from committing: so the file is copied as it stands, and then, under the lock of a reader, the
copy is compared with it and corrected. Only for the comparison a commit waits: 15 ms for 70 MB that were just read.
"""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final

from service import state_dir
from service.services.upkeep import Progress
from service.storage.engine import sqlite

_SLICE: Final = 4 * 1024 * 1024
_PAGES: Final = 1024
_REST: Final = 19
_LONGEST_REST: Final = 1.0
_LOCK_SECONDS: Final = 30


def pacing() -> Callable[[], None]:
    """Return a function that, called between pieces of work, rests so that the work takes a twentieth of the time."""
    since = monotonic()

    def rest() -> None:
        nonlocal since
        sleep(min(_LONGEST_REST, _REST * (monotonic() - since)))
        since = monotonic()

    return rest


def copy(database: Path, target: Path, show: Progress) -> None:
    """Copy the database into a file that exists, as one file without a log, and sync that.

    Raises OSError, and the driver's errors.
    """
    rest = pacing()

    def advance(done: int, whole: int) -> None:
        state_dir.sync(target)  # piece by piece: a commit of the service would wait until all of it is written
        show("Copying", done, whole)
        rest()

    address = sqlite.address_of(database)
    with closing(sqlite.DRIVER.connect(address, uri=True, isolation_level=None, timeout=_LOCK_SECONDS)) as source:
        (_copy_snapshot if _is_logged(source) else _copy_twice)(source, database, target, advance)
    state_dir.sync(target)


def _copy_snapshot(source: Any, _: Path, target: Path, advance: Callable[[int, int], None]) -> None:  # noqa: ANN401 - the driver has no types
    _begin_reading(source)
    with closing(sqlite.DRIVER.connect(target, isolation_level=None)) as made:
        for pragma in ("synchronous = OFF", "journal_mode = OFF"):
            made.execute(f"PRAGMA {pragma}")
        source.backup(made, pages=_PAGES, progress=lambda _, left, whole: advance(whole - left, whole))
        made.execute("PRAGMA journal_mode = DELETE")


def _copy_twice(source: Any, database: Path, target: Path, advance: Callable[[int, int], None]) -> None:  # noqa: ANN401
    # Closing a file gives up all locks that the process has on it (fcntl): so it is closed after the transaction.
    # Without a buffer a full disk writes less than it was given, and says nothing.
    with database.open("rb", buffering=0) as original, target.open("r+b") as made:
        whole = os.fstat(original.fileno()).st_size
        while data := original.read(_SLICE):
            made.write(data)
            advance(original.tell(), whole)
        made.flush()
        os.fsync(made.fileno())
        _begin_reading(source)
        if _is_logged(source):
            raise sqlite.DRIVER.OperationalError("the service began with a write-ahead log meanwhile: type it again")
        original.seek(0)
        made.seek(0)
        while data := original.read(_SLICE):
            if data != made.read(len(data)):
                made.seek(original.tell() - len(data))
                made.write(data)
        made.truncate(original.tell())
        source.execute("COMMIT")


def _is_logged(connection: Any) -> bool:  # noqa: ANN401
    return bool(connection.execute("PRAGMA journal_mode").fetchone() == ("wal",))


def _begin_reading(connection: Any) -> None:  # noqa: ANN401
    """Begin a transaction that sees the database as it is now."""
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
