"""`vestibule audit …`: what happened to accounts, by which operator or client, and from which address."""

from dataclasses import asdict

import click

from service.cli import Operator, arguments, operator_command
from service.cli.output import refuse, report_all, utc
from service.login.accounts import canonical_username
from service.login.audit import Entry
from service.login.networks import Network, address_of


@click.group()
def audit() -> None:
    """List what happened to accounts."""


@audit.command(name="list")
@click.option("--account", help="Only entries about this account, also after its deletion.")
@click.option("--network", type=arguments.network, help="Only entries from this network or address.")
@click.option(
    "--since",
    type=arguments.since,
    default="1970-01-01",
    help="Only later entries: 2h (ago), or 2026-01-31, or 2026-01-31T08:00 (UTC).",
)
@operator_command
def list_(op: Operator, account: str | None, network: Network | None, since: int, *, as_json: bool) -> None:
    """List the entries of the audit trail, the newest first.

    The outcome is `done`, why a session ended (signed_out, replaced), or why a request was refused (wrong_password,
    disabled, unusable_hash, throttled).
    """
    services = op.services
    name = None if account is None else (canonical_username(account) or refuse(f"{account!r} cannot be a username."))
    moment = since if since >= 0 else services.clock() + since
    found = services.audit.entries(account=name, since=moment)
    lines = ((_line(each), asdict(each)) for each in found if _is_from(network, each))
    report_all(lines, empty="The audit trail has no such entries.", as_json=as_json)


def _is_from(network: Network | None, entry: Entry) -> bool:
    ip = address_of(entry.address)
    return network is None or (ip is not None and ip in network)


def _line(entry: Entry) -> str:
    about = f"{entry.event:<27} {entry.account or '-':<24} {entry.address or '-':<15}"
    return f"{utc(entry.at)}  {about} {entry.by:<10} {entry.outcome} {entry.detail}".rstrip()
