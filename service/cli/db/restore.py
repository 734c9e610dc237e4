"""`vestibule db restore PATH`: the database of a backup in the place of the service's."""

from pathlib import Path

import click

from service.cli import Operator, arguments, operator_command
from service.cli.db.upgrade import ended_by_sigterm
from service.cli.output import confirm, progress_bars, report, utc

_INTERRUPTED = (
    "Interrupted: the database is that of before, or that of the backup. To be sure of the latter, type it again."
)


@click.command()
@click.argument("path", type=arguments.path)
@click.option("--yes", is_flag=True, help="Do not ask.")
@operator_command
def restore(op: Operator, path: Path, *, yes: bool, as_json: bool) -> None:
    """Put the database of a backup in the place of the service's.

    The service must not run. Everybody is signed out. The database of before stays beside it under another name.
    Settings, apps and the secret key are not touched: those of the backup lie in PATH. With PostgreSQL: psql reads a
    dump.
    """

    def ask(made_at: int, database: Path) -> None:
        if not yes:
            confirm(f"Put the backup of {utc(made_at)} in the place of {database}, and sign everybody out?")

    with ended_by_sigterm(_INTERRUPTED):
        done = op.upkeep.restore(op.settings, path, by=op.name, ask=ask, show=progress_bars())
    lines = [
        f"The database is that of {path}. Sessions that ended: {done.sessions:,}; links that were not used ended, too.",
        "What happened since is undone: accounts, passwords and app passwords are those of then, blocks, too.",
        f"The database of before is {done.kept}: remove it when all is well." if done.kept else "",
        "" if done.key_is_known else "The secret key is another than at the backup: known devices are unknown now.",
        f"The settings and the apps of then lie in {path}. Start the service: it brings older tables to this release.",
    ]
    facts = {"kept": done.kept and str(done.kept), "sessions": done.sessions, "key_is_known": done.key_is_known}
    report("\n".join(filter(None, lines)), facts, as_json=as_json)
