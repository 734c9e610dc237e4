"""`vestibule block …`: networks that are blocked for a time."""

import click

from service.access import blocks
from service.access.blocks import Block, BlockStores
from service.cli import Operator, as_json
from service.cli.audited import audited
from service.cli.network import network_named
from service.cli.output import accepted, report, report_all, utc
from service.cli.times import Duration


@click.group()
def block() -> None:
    """Block networks for a time, in all workers within a second."""


@block.command()
@click.argument("network")
@click.option("--for", "seconds", type=Duration(), required=True, help="How long, such as 2h or 7d.")
@click.option("--reason", default="", help="Why, for operators who read the list later.")
@as_json
@click.pass_obj
def add(op: Operator, network: str, seconds: int, reason: str, *, as_json: bool) -> None:
    """Block NETWORK: an address, or a network such as 192.0.2.0/24. A second block replaces the first."""
    wanted = network_named(network)
    made = accepted(blocks.block(wanted, reason, _stores(op), seconds=seconds, **audited(op)))
    report(f"{made.network} is blocked until {utc(made.until)}.", _facts(made), as_json=as_json)


@block.command(name="list")
@as_json
@click.pass_obj
def list_(op: Operator, *, as_json: bool) -> None:
    """List the networks that are blocked now."""
    found = op.services.blocks.all(now=op.services.clock())
    report_all(((_line(each), _facts(each)) for each in found), as_json=as_json)


@block.command()
@click.argument("network")
@as_json
@click.pass_obj
def remove(op: Operator, network: str, *, as_json: bool) -> None:
    """End the block of NETWORK."""
    found = str(accepted(blocks.unblock(network_named(network), _stores(op), **audited(op))))
    report(f"{found} is no longer blocked.", {"network": found}, as_json=as_json)


def _stores(op: Operator) -> BlockStores:
    return BlockStores(op.services.blocks, op.services.audit, op.services.transaction)


def _line(found: Block) -> str:
    return f"{found.network:<24} until {utc(found.until)}  {found.reason}".rstrip()


def _facts(found: Block) -> dict[str, object]:
    facts: dict[str, object] = {"network": found.network, "until": found.until}
    return facts | {"created_at": found.created_at, "reason": found.reason}
