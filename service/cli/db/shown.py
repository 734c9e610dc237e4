"""A backup as the commands tell of it."""

from typing import Any, Final

from service.services.upkeep import Backup

_ENGINES: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def facts_of(found: Backup) -> dict[str, Any]:
    """Return a backup as JSON tells of it."""
    return {name: getattr(found, name) for name in found.__slots__} | {"path": str(found.path)}


def in_words(found: Backup) -> str:
    """Return what a backup is, and how many rows it has, one table a line."""
    made = f"release {found.release}, " if found.release else ""
    engine = _ENGINES.get(found.engine, found.engine)
    rows = "\n".join(f"  {table:20} {count:>12,}" for table, count in found.rows.items())
    return f"{engine}, {made}revision {found.revision}, for release {found.oldest_release} or later. Rows:\n{rows}"
