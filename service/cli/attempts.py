"""`vestibule attempts …` and `account unlock`: failed attempts, and clearing them."""

import click

from service.cli import Operator, as_json
from service.cli.audited import audited
from service.cli.network import network_named
from service.cli.output import accepted, report, report_all, utc
from service.login.administration import (
    AttemptStores,
    account_named,
    clear_all_attempts,
    clear_attempts_at,
    clear_attempts_from,
)
from service.login.attempts import Scope, Tally

_BY = {"network": Scope.NETWORK, "account": Scope.ACCOUNT}


@click.group()
def attempts() -> None:
    """List failed attempts, and clear them."""


@attempts.command(name="list")
@click.option("--by", type=click.Choice(sorted(_BY)), default="network", show_default=True, help="What to add up by.")
@as_json
@click.pass_obj
def list_(op: Operator, by: str, *, as_json: bool) -> None:
    """List failed attempts that still count, the most first.

    An unknown username is shown as a digest: people type passwords into the wrong field.
    """
    services = op.services
    since = services.clock() - max(window.seconds for window in services.throttles.values())
    found = services.attempts.tallies(by=_BY[by], since=since)
    report_all(((_line(each), _facts(each, by)) for each in found), as_json=as_json)


def _line(found: Tally) -> str:
    return f"{found.attempts:>7}  {found.name or found.key:<40} {utc(found.latest)}"


def _facts(found: Tally, by: str) -> dict[str, object]:
    known = {"account": found.name, "digest": found.key} if by == "account" else {"network": found.key}
    return known | {"attempts": found.attempts, "latest_at": found.latest}


@attempts.command()
@click.option("--account", help="Those at this account, from everywhere.")
@click.option("--network", help="Those from this network, and networks in it, at all accounts.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@as_json
@click.pass_obj
def clear(op: Operator, account: str | None, network: str | None, *, everything: bool, as_json: bool) -> None:
    """Clear failed attempts, so that people may try again at once."""
    if sum((account is not None, network is not None, everything)) != 1:
        raise click.UsageError("Say which: --account NAME, --network NETWORK or --all.")
    if account is not None:
        cleared = _clear_account(op, account)
    elif network is not None:
        cleared = clear_attempts_from(network_named(network), _stores(op), **audited(op))
    else:
        cleared = clear_all_attempts(_stores(op), **audited(op))
    _report(cleared, as_json=as_json)


@click.command()
@click.argument("name")
@as_json
@click.pass_obj
def unlock(op: Operator, name: str, *, as_json: bool) -> None:
    """Clear the failed attempts at the account NAME, so that its owner may try again at once."""
    _report(_clear_account(op, name), as_json=as_json)


def _clear_account(op: Operator, name: str) -> int:
    account = accepted(account_named(name, op.services.accounts))
    return clear_attempts_at(account, _stores(op), **audited(op))


def _stores(op: Operator) -> AttemptStores:
    return AttemptStores(op.services.attempts, op.services.audit, op.services.keys[0])


def _report(cleared: int, *, as_json: bool) -> None:
    report(f"{cleared} attempts cleared.", {"cleared": cleared}, as_json=as_json)
