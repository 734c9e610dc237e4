"""`vestibule attempts …` and `account unlock`: failed attempts, and clearing them."""

import click

from service.cli import Operator, arguments, operator_command
from service.cli.output import accepted, report, report_all, utc
from service.login.accounts import Account
from service.login.administration import account_named, clear_attempts
from service.login.attempts import Scope, Tally
from service.login.networks import Network
from service.login.refusal import Refusal

_BY = {"network": Scope.NETWORK, "account": Scope.ACCOUNT}


@click.group()
def attempts() -> None:
    """List and clear failed attempts to sign in."""


@attempts.command(name="list")
@click.option(
    "--by", type=click.Choice(sorted(_BY)), default="network", show_default=True, help="Add up attempts by this."
)
@operator_command
def list_(op: Operator, by: str, *, as_json: bool) -> None:
    """List failed attempts that still count, the highest number first. Wrong app passwords count for networks alone.

    An unknown username is shown as a digest, because it may be a password that was typed into the wrong field.
    """
    services = op.services
    since = services.clock() - max(window.seconds for window in services.verifier.throttles.values())
    found = services.verifier.attempts.tallies(by=_BY[by], since=since)
    lines = ((_line(each), _facts(each, by)) for each in found)
    report_all(lines, empty="There are no failed attempts that still count.", as_json=as_json)


def _line(found: Tally) -> str:
    return f"{found.attempts:>7}  {found.name or found.key:<40} {utc(found.latest)}"


def _facts(found: Tally, by: str) -> dict[str, object]:
    known = {"account": found.name, "digest": found.key} if by == "account" else {"network": found.key}
    return known | {"attempts": found.attempts, "latest_at": found.latest}


@attempts.command()
@click.option("--account", help="Attempts at this account, from all networks.")
@click.option("--network", type=arguments.network, help="Attempts from this network, at all accounts.")
@click.option("--all", "everything", is_flag=True, help="All attempts.")
@operator_command
def clear(op: Operator, account: str | None, network: Network | None, *, everything: bool, as_json: bool) -> None:
    """Clear failed attempts. People may then try again at once."""
    if sum((account is not None, network is not None, everything)) != 1:
        raise click.UsageError("Give exactly one of --account NAME, --network NETWORK and --all.")
    _clear(op, network if account is None else account_named(account, op.services.accounts), as_json=as_json)


@click.command()
@click.argument("name")
@operator_command
def unlock(op: Operator, name: str, *, as_json: bool) -> None:
    """Clear the failed attempts at the account NAME. Its owner may then try again at once."""
    _clear(op, account_named(name, op.services.accounts), as_json=as_json)


def _clear(op: Operator, of: Account | Network | Refusal | None, *, as_json: bool) -> None:
    services = op.services
    cleared = clear_attempts(accepted(of), services.verifier, services.audit, **op.audited())
    report(f"Attempts cleared: {cleared}.", {"cleared": cleared}, as_json=as_json)
