"""`vestibule db rehearse`: what an upgrade will do, seen on a copy."""

from dataclasses import asdict
from typing import Final
from urllib.parse import parse_qs, urlsplit

import click

from service.cli import Operator, operator_command
from service.cli.db.upgrade import ended_by_sigterm
from service.cli.output import report
from service.services.upkeep import Rehearsal
from service.settings.kinds import InvalidValue
from service.settings.stores import database

_INTERRUPTED: Final = "Interrupted: the service's database was only read. What was copied into --into stays there."


def _address(text: str) -> str:
    """Return the address of a PostgreSQL database, which holds no password: all users see the command line."""
    parts = urlsplit(text)
    if parts.password or {"password", "sslpassword"} & parse_qs(parts.query).keys():
        raise click.BadParameter(
            "all users of this machine see a command line: leave the password out, and name a file of libpq's form "
            "(host:port:database:user:password, mode 0600) in PGPASSFILE"
        )
    try:
        address = database(text).reveal()
    except InvalidValue as fault:
        raise click.BadParameter(f"the address {fault}") from None
    if not address.startswith("postgresql"):
        raise click.BadParameter("the address must begin with postgresql://")
    return address


@click.command()
@click.option("--into", type=_address, metavar="URL", help="PostgreSQL: the address of an empty database for the copy.")
@operator_command
def rehearse(op: Operator, *, into: str | None, as_json: bool) -> None:
    """Upgrade a copy of the database, to see what an upgrade will do.

    Prints how long each step takes, what it locks, and how many rows each table has. The service's database is only
    read. A copy of an SQLite file is made beside it, and removed. The copy in the database of --into stays: it holds
    hashes of passwords, so drop that database afterwards. Its password comes from the file in PGPASSFILE, or from
    PGPASSWORD.
    """
    if op.settings.database_address.startswith("postgresql") != bool(into):
        raise click.UsageError("The database is PostgreSQL: add --into URL." if not into else "SQLite needs no --into.")
    with ended_by_sigterm(_INTERRUPTED):
        done = op.upkeep.rehearse(op.settings, into, lambda line: None if as_json else click.echo(line, err=True))
    report("\n".join(_lines(done)), asdict(done), as_json=as_json)


def _lines(done: Rehearsal) -> list[str]:
    if not done.steps:
        return [f"The database is at revision {done.before} already: nothing to rehearse."]
    lines = [f"An upgrade from revision {done.before} to {done.after}, on a copy:", "step  seconds  locks"]
    for step in done.steps:
        locks = ", ".join(f"{table} ({mode})" for table, mode in sorted(step.locks.items()))
        lines.append(f"{step.revision:<4} {step.seconds:>8.2f}  {locks or 'none that a request waits for'}")
    return [*lines, "rows", *(f"{count:>13,}  {table}" for table, count in sorted(done.rows.items()))]
