"""`vestibule attempts …`: who tries passwords, and giving their allowance back."""

import click

from service.cli import Operator, as_json
from service.cli.network import network_named
from service.cli.person import existing
from service.cli.recorded import record
from service.cli.words import tell, tell_all, when
from service.login.attempts import Scope, Tally, digest_of
from service.login.audit import Happened
from service.login.networks import Network, address_of

_BY = {"network": Scope.NETWORK, "account": Scope.ACCOUNT}


@click.group()
def attempts() -> None:
    """See who tries passwords, and let somebody try again."""


@attempts.command(name="list")
@click.option("--by", type=click.Choice(sorted(_BY)), default="network", show_default=True, help="What to add up by.")
@as_json
@click.pass_obj
def list_(op: Operator, by: str, *, as_json: bool) -> None:
    """List failed attempts that still count, the most first.

    A name that nobody has is shown as a digest: people type passwords into the wrong field.
    """
    services = op.services
    since = services.clock() - max(window.seconds for window in services.throttles.values())
    found = services.attempts.tallies(by=_BY[by], since=since)
    tell_all(((_line(each), _facts(each, by)) for each in found), as_json=as_json)


def _line(found: Tally) -> str:
    return f"{found.attempts:>7}  {_name(found):<40} {when(found.latest)}"


def _name(found: Tally) -> str:
    return found.name or found.key


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
    """Forget failed attempts, so that people may try again at once."""
    if sum((account is not None, network is not None, everything)) != 1:
        raise click.UsageError("Say which: --account NAME, --network NETWORK or --all.")
    if account is not None:
        cleared = clear_account(op, account)
    else:
        cleared = _clear_all(op) if network is None else _clear_network(op, network_named(network))
    tell(f"{cleared} attempts forgotten.", {"cleared": cleared}, as_json=as_json)


def clear_account(op: Operator, name: str) -> int:
    """Forget the attempts at an account; how many. Told first: with Redis away some are forgotten, then it fails."""
    person = existing(op, name)
    record(op, Happened.UNLOCKED, account=person.username)
    return op.services.attempts.clear(account=digest_of(person.username, op.services.keys[0]))


def _clear_network(op: Operator, wanted: Network) -> int:
    """Forget the attempts of all clients' networks that lie in this one."""
    kept = op.services.attempts
    keys = [tally.key for tally in kept.tallies(by=Scope.NETWORK, since=0) if _lies_in(wanted, tally.key)]
    record(op, Happened.UNLOCKED, detail=str(wanted))
    return sum(kept.clear(network=key) for key in keys)


def _lies_in(wanted: Network, key: str) -> bool:
    address = address_of(key.partition("/")[0])
    return address is not None and address in wanted


def _clear_all(op: Operator) -> int:
    record(op, Happened.UNLOCKED, detail="everybody")
    return op.services.attempts.clear()
