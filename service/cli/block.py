"""`vestibule block …`: networks that are shut out for a time."""

import click

from service.access.blocks import Block
from service.cli import Operator, as_json
from service.cli.network import network_named
from service.cli.person import LONGEST_TEXT
from service.cli.recorded import record
from service.cli.times import Duration
from service.cli.words import refuse, tell, tell_all, when
from service.login.audit import Happened

# Whoever blocks more than this has mistyped: a whole provider is smaller.
_SHORTEST_PREFIX = {4: 8, 6: 19}


@click.group()
def block() -> None:
    """Shut networks out for a time, in all workers within a second."""


@block.command()
@click.argument("network")
@click.option("--for", "seconds", type=Duration(), required=True, help="How long, such as 2h or 7d.")
@click.option("--reason", default="", help="Why, for whoever reads the list later.")
@as_json
@click.pass_obj
def add(op: Operator, network: str, seconds: int, reason: str, *, as_json: bool) -> None:
    """Shut NETWORK out: an address, or a network such as 192.0.2.0/24. Again: for another time."""
    services, found = op.services, network_named(network)
    if found.prefixlen < _SHORTEST_PREFIX[found.version]:
        refuse(f"{found} is most of the internet: nothing wider than a /{_SHORTEST_PREFIX[found.version]} is blocked.")
    if len(reason) > LONGEST_TEXT or not reason.isprintable():
        refuse(f"The reason is one line of at most {LONGEST_TEXT} characters, none of them a control character.")
    now = services.clock()
    made = Block(str(found), now + seconds, now, reason)
    with services.transaction():
        services.blocks.delete_expired(now=now)
        services.blocks.put(made)
        why = f": {reason}" if reason else ""
        record(op, Happened.NETWORK_BLOCKED, detail=f"{made.network} until {when(made.until)}{why}")
    tell(f"{made.network} is shut out until {when(made.until)}.", _facts(made), as_json=as_json)


@block.command(name="list")
@as_json
@click.pass_obj
def list_(op: Operator, *, as_json: bool) -> None:
    """List the networks that are shut out now."""
    found = op.services.blocks.all(now=op.services.clock())
    tell_all(((_line(each), _facts(each)) for each in found), as_json=as_json)


@block.command()
@click.argument("network")
@as_json
@click.pass_obj
def remove(op: Operator, network: str, *, as_json: bool) -> None:
    """Let NETWORK in again."""
    services, found = op.services, str(network_named(network))
    with services.transaction():
        if not services.blocks.remove(found):
            refuse(f"{found} is not shut out: vestibule block list shows what is.")
        record(op, Happened.NETWORK_UNBLOCKED, detail=found)
    tell(f"{found} may come again.", {"network": found}, as_json=as_json)


def _line(found: Block) -> str:
    return f"{found.network:<24} until {when(found.until)}  {found.reason}".rstrip()


def _facts(found: Block) -> dict[str, object]:
    facts: dict[str, object] = {"network": found.network, "until": found.until}
    return facts | {"created_at": found.created_at, "reason": found.reason}
