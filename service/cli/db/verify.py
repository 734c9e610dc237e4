"""`vestibule db verify PATH`: whether a backup is whole."""

from pathlib import Path

import click

from service.cli import Operator, arguments, operator_command
from service.cli.db.shown import facts_of, in_words
from service.cli.output import progress_bars, report, utc


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
    sentence = f"{path} is whole, of {utc(found.made_at)}: {in_words(found)}{noted}"
    report(sentence, facts_of(found), as_json=as_json)
