"""Blocks: networks that an operator shut out for a time. All that they get is one short refusal."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from service.login.networks import Network, address_of, network_around, parse


@dataclass(frozen=True, slots=True)
class Block:
    """A network (`192.0.2.0/24`) that is shut out before `until`, and why."""

    network: str
    until: int
    created_at: int
    reason: str = ""


class Blocks(Protocol):
    """Where blocks are kept."""

    def put(self, block: Block) -> None:
        """Keep a block, in place of an earlier one of the same network."""

    def remove(self, network: str) -> bool:
        """Let a network in again; whether it was blocked."""

    def all(self, *, now: int) -> list[Block]:
        """Return the blocks that hold now, by network."""

    def delete_expired(self, *, now: int) -> int:
        """Delete the blocks that are over; how many there were."""


class Fence:
    """Some blocks, ready to be asked: what a question costs hangs on how many prefix lengths there are."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._until: dict[Network, int] = {}
        for block in blocks:
            network = parse(block.network)
            if network is not None:
                self._until[network] = block.until
        self._lengths = sorted({network.prefixlen for network in self._until})

    def shuts_out(self, address: str, *, now: int) -> bool:
        """Whether a client's address lies in a network that is blocked; what is no address lies in none."""
        ip = address_of(address) if self._until else None
        if ip is None:
            return False
        around = (network_around(ip, length) for length in self._lengths if length <= ip.max_prefixlen)
        return any(now < self._until.get(network, now) for network in around)
