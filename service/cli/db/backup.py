"""`vestibule db backup`: a backup of an SQLite database, while the service runs."""

from dataclasses import asdict
from pathlib import Path

import click

from service.cli import Operator, arguments, operator_command
from service.cli.db.upgrade import ended_by_sigterm
from service.cli.output import progress_bars, report

_KEY = "The secret key is not in it, only its fingerprint: keep the key apart."
_INTERRUPTED = "Interrupted: what was not finished is removed. To make a backup, type the command again."
_NO_SETTINGS = "\n{} is not in it: a secret there takes several lines. Name a file with secret_key_file instead."


@click.command()
@click.option("--to", "folder", type=arguments.path, metavar="DIR", help="The directory to make it in.")
@operator_command
def backup(op: Operator, *, folder: Path | None, as_json: bool) -> None:
    """Back the database up while the service runs.

    The settings and the apps are backed up, too, and the backup is checked. It is a directory of its own, in db-backups
    in the state directory or in --to. Old ones are yours to remove. No secret of the settings is in it. With
    PostgreSQL: pg_dump --format=plain, then db verify --record.
    """
    with ended_by_sigterm(_INTERRUPTED):
        made, files = op.upkeep.back_up(op.settings, folder, progress_bars())
    inside = ", ".join((f"the database (accounts: {made.rows['accounts']:,})", *files))
    sentence = f"{made.path} was made and checked. In it: {inside}.\n{_KEY}"
    if op.settings.config and "vestibule.toml" not in files:
        sentence += _NO_SETTINGS.format(op.settings.config)
    report(sentence, asdict(made) | {"path": str(made.path), "files": files}, as_json=as_json)
