"""`vestibule block …`: networks that are blocked for a time."""

from dataclasses import asdict

import click

from service.access import block_list
from service.access.block_list import Block, BlockStores
from service.cli import Operator, arguments, operator_command
from service.cli.output import accepted, report, report_all, utc
from service.login.networks import Network


@click.group()
def block() -> None:
    """Block networks for a time. A change reaches all workers within a second."""


@block.command()
@click.argument("network", type=arguments.network)
@click.option("--for", "seconds", type=arguments.duration, required=True, help="Duration, such as 2h or 7d.")
@click.option("--reason", default="", help="The reason, shown by `block list`.")
@operator_command
def add(op: Operator, network: Network, seconds: int, reason: str, *, as_json: bool) -> None:
    """Block an address, or a network such as 192.0.2.0/24. An earlier block of NETWORK is replaced."""
    made = accepted(block_list.block(network, reason, _stores(op), seconds=seconds, **op.audited()))
    report(f"{made.network} is blocked until {utc(made.until)}.", asdict(made), as_json=as_json)


@block.command(name="list")
@operator_command
def list_(op: Operator, *, as_json: bool) -> None:
    """List the networks that are blocked now."""
    found = op.services.blocks.all(now=op.services.clock())
    report_all(((_line(each), asdict(each)) for each in found), empty="No network is blocked.", as_json=as_json)


@block.command()
@click.argument("network", type=arguments.network)
@operator_command
def remove(op: Operator, network: Network, *, as_json: bool) -> None:
    """End the block of NETWORK."""
    accepted(block_list.unblock(network, _stores(op), **op.audited()))
    report(f"{network} is no longer blocked.", {"network": str(network)}, as_json=as_json)


def _stores(op: Operator) -> BlockStores:
    return BlockStores(op.services.blocks, op.services.audit, op.services.transaction)


def _line(found: Block) -> str:
    return f"{found.network:<24} until {utc(found.until)}  {found.reason}".rstrip()
