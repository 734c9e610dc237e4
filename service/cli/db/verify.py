"""`vestibule db verify PATH`: whether a backup is whole."""

from dataclasses import asdict
from pathlib import Path

import click

from service.cli import Operator, arguments, operator_command
from service.cli.output import progress_bars, report, utc
from service.services.upkeep import Backup


@click.command()
@click.argument("path", type=arguments.path)
@click.option("--record", is_flag=True, help="Note it in the service's database as the last good backup.")
@operator_command
def verify(op: Operator, path: Path, *, record: bool, as_json: bool) -> None:
    """Check a backup, or a plain dump of PostgreSQL.

    Prints whether it is whole and of use to this release, and its rows. A dump may be packed by gzip. With --record the
    metrics and `vestibule status` take it for the last backup; a dump is as old as its file.
    """
    found = op.upkeep.verify(op.settings, path, record=record, show=progress_bars())
    noted = "\nIt was noted as the last backup." if record else ""
    sentence = f"{path} is whole, of {utc(found.made_at)}: {_in_words(found)}{noted}"
    report(sentence, asdict(found) | {"path": str(path)}, as_json=as_json)


def _in_words(found: Backup) -> str:
    """Return what a backup is, and how many rows it has, one table a line."""
    engine = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[found.engine]
    made = f"release {found.release}, " if found.release else ""
    rows = "\n".join(f"  {table:20} {count:>12,}" for table, count in found.rows.items())
    return f"{engine}, {made}revision {found.revision}, for release {found.oldest_release} or later. Rows:\n{rows}"
