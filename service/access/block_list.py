"""Blocks: networks that an operator blocked for a time. Every request from one gets one short refusal."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from service.login.audit import Audit, Entry, Happened
from service.login.networks import Network, address_of, network_around, parse
from service.login.new_account import MAXIMUM_TEXT
from service.login.refusal import Refusal

# A wider network is a typing mistake: no provider owns one.
_SHORTEST_PREFIX: Final = {4: 8, 6: 19}


class Reason(StrEnum):
    TOO_WIDE = "{} is a large part of the internet: a block may be no wider than a /8 of IPv4 or a /19 of IPv6."
    BAD_REASON = f"The reason must be one line of at most {MAXIMUM_TEXT} characters, none of them a control character."
    NOT_BLOCKED = "{} is not blocked."


@dataclass(frozen=True, slots=True)
class Block:
    """A network (`192.0.2.0/24`) that is blocked before `until`, and why."""

    network: str
    until: int
    created_at: int
    reason: str = ""


class Blocks(Protocol):
    """The store of blocks.

    `put` stores a block in place of an earlier one of the same network. `remove` returns whether there was one. `all`
    returns those in force, by network. `delete_expired` returns how many were deleted.
    """

    def put(self, block: Block) -> None: ...
    def remove(self, network: str) -> bool: ...
    def all(self, *, now: int) -> list[Block]: ...
    def delete_expired(self, *, now: int) -> int: ...


@dataclass(frozen=True, slots=True)
class BlockStores:
    """What blocking needs. Calls inside `transaction()` take effect together or not at all."""

    blocks: Blocks
    audit: Audit
    transaction: Callable[[], AbstractContextManager[object]]


def block(network: Network, reason: str, stores: BlockStores, *, seconds: int, by: str, now: int) -> Block | Refusal:
    """Block a network from now on, in place of an earlier block of it."""
    if network.prefixlen < _SHORTEST_PREFIX[network.version]:
        return Refusal(Reason.TOO_WIDE, str(network))
    if len(reason) > MAXIMUM_TEXT or not reason.isprintable():
        return Refusal(Reason.BAD_REASON)
    made = Block(str(network), now + seconds, now, reason)
    why = f"{network} for {seconds} s{reason and ': '}{reason}"
    with stores.transaction():
        stores.blocks.delete_expired(now=now)
        stores.blocks.put(made)
        stores.audit.add(Entry(now, Happened.NETWORK_BLOCKED, by=by, detail=why))
    return made


def unblock(network: Network, stores: BlockStores, *, by: str, now: int) -> Network | Refusal:
    with stores.transaction():
        if not stores.blocks.remove(str(network)):
            return Refusal(Reason.NOT_BLOCKED, str(network))
        stores.audit.add(Entry(now, Happened.NETWORK_UNBLOCKED, by=by, detail=str(network)))
        return network


class BlockList:
    """Blocks by network: a look-up costs as many steps as there are prefix lengths."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        parsed = ((parse(block.network), block.until) for block in blocks)
        self._until = {network: until for network, until in parsed if network is not None}
        self._lengths = sorted({network.prefixlen for network in self._until})

    def contains(self, address: str, *, now: int) -> bool:
        """Whether a client's address lies in a blocked network; text that is no address lies in none."""
        ip = address_of(address) if self._until else None
        if ip is None:
            return False
        around = (network_around(ip, length) for length in self._lengths if length <= ip.max_prefixlen)
        return any(now < self._until.get(network, now) for network in around)
