"""A plain dump of PostgreSQL (`pg_dump --format=plain`), also packed by gzip: whether it is whole and of use here."""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from service.services.upkeep import Backup, BadBackup, Progress
from service.storage.engine.database import SchemaFault
from service.storage.upkeep.manifest import permitted
from service.storage.upkeep.revision import TABLES, require_release

_COMMAND: Final = "pg_dump --format=plain"
_GZIP: Final = b"\x1f\x8b"
_CUSTOM: Final = b"PGDMP"
_SQLITE: Final = b"SQLite format 3\0"
_HEAD: Final = b"-- PostgreSQL database dump\n"
_END: Final = b"-- PostgreSQL database dump complete"
_COPY: Final = re.compile(rb'COPY (?:"?\w+"?\.)?"?(\w+)"? \(.*\) FROM stdin;\n')
_END_OF_ROWS: Final = b"\\.\n"
_SMALL: Final = {"schema_info", "alembic_version"}
_LINES_OF_HEAD: Final = 5
_AFTER_END: Final = (b"--\n", b"\n", b"\\unrestrict ")
_LONGEST_LINE: Final = 1024 * 1024  # a packed file of a few kB may hold one that no memory takes
_LONGEST_SMALL: Final = 100


def verify(path: Path, show: Progress) -> Backup:
    """Read a dump to its end. Raises BadBackup unless it is whole, and of a release that this one can use."""
    try:
        with permitted(path):
            if path.exists() and not path.is_file():
                raise BadBackup(f"{path} is neither a file nor a directory")
            file = path.open("rb")
        with file:
            content = gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == _GZIP else file
            whole = path.stat().st_size
            rows, small = _read(_lines(content, path), path, lambda: show("Checking", file.tell(), whole))
    except (EOFError, gzip.BadGzipFile, zlib.error) as fault:
        raise BadBackup(f"{path} is cut short or damaged ({fault}): take another dump") from None
    except OSError as fault:
        raise BadBackup(f"{path} cannot be read ({fault.strerror})") from None
    if lacking := TABLES - rows.keys():
        raise BadBackup(f"{path} is no dump of Vestibule: it has no rows (COPY) of {', '.join(sorted(lacking))}")
    revision = (small["alembic_version"] or [""])[0]
    oldest = dict(row.partition("\t")[::2] for row in small["schema_info"]).get("oldest_release", "")
    try:
        require_release(revision, oldest)
    except SchemaFault as fault:
        raise BadBackup(f"{path}: {fault}") from None
    made_at = int(path.stat().st_mtime)
    return Backup(path, "postgresql", made_at, "", revision, oldest, rows)


def _lines(content: IO[bytes] | gzip.GzipFile, path: Path) -> Iterator[bytes]:
    while line := content.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise BadBackup(f"{path} has a line that {_COMMAND} does not write: take another dump")
        yield line


def _read(
    lines: Iterator[bytes], path: Path, on_table: Callable[[], None]
) -> tuple[dict[str, int], dict[str, list[str]]]:
    """Return how many rows each table has, and the rows of the small tables. Raises BadBackup."""
    rows: dict[str, int] = {}
    small: dict[str, list[str]] = {name: [] for name in _SMALL}
    _require_head(lines, path)
    is_whole = False
    for line in lines:
        is_whole = line.startswith(_END) or (is_whole and line.startswith(_AFTER_END))
        if found := _COPY.fullmatch(line):
            table = found[1].decode()
            rows[table] = 0
            while (row := next(lines, b"")) != _END_OF_ROWS:
                if not row:
                    raise BadBackup(f"{path} is cut short in the table {table}: take another dump")
                rows[table] += 1
                if table in small and rows[table] <= _LONGEST_SMALL:
                    small[table].append(row.decode(errors="replace").rstrip("\n"))
            on_table()
    if not is_whole:
        raise BadBackup(f"{path} is cut short: its last line is not that of {_COMMAND}; take another dump")
    return rows, small


def _require_head(lines: Iterator[bytes], path: Path) -> None:
    head = [line for line, _ in zip(lines, range(_LINES_OF_HEAD), strict=False)]
    if head and head[0].startswith(_CUSTOM):
        raise BadBackup(f"{path} is not a plain dump: make it with {_COMMAND}, or convert it with pg_restore --file")
    if head and head[0].startswith(_SQLITE):
        raise BadBackup(f"{path} is an SQLite database: name the directory that `vestibule db backup` made")
    if _HEAD not in head:
        raise BadBackup(f"{path} is no dump of PostgreSQL: make it with {_COMMAND}")
