"""Blocks: whom they keep out, and for how long."""

import ipaddress
from typing import Final

import pytest

from service.access.block_list import Block, BlockList, BlockStores, Reason, block, unblock
from service.login.audit import Entry
from service.login.refusal import Refusal
from tests.rig.memory_store import MemoryAudit, MemoryBlocks, Rows

NOW = 1_800_000_000


def block_list(*networks: str, until: int = NOW + 60) -> BlockList:
    """Return blocks of some networks."""
    return BlockList(Block(network, until, NOW) for network in networks)


@pytest.mark.parametrize(
    ("address", "is_out"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("192.0.3.7", False),
        ("2001:db8:1::5", True),
        ("2001:db9::5", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_addresses_in_a_blocked_network_are_kept_out(address: str, is_out: bool) -> None:  # noqa: FBT001 - a case
    """In every spelling of them, IPv4 in IPv6 as well."""
    assert block_list("192.0.2.0/24", "2001:db8::/32", "198.51.100.9").contains(address, now=NOW) == is_out


def test_a_block_ends_by_itself() -> None:
    """To the second."""
    assert block_list("192.0.2.0/24").contains("192.0.2.1", now=NOW + 59)
    assert not block_list("192.0.2.0/24").contains("192.0.2.1", now=NOW + 60)


def test_a_wider_block_holds_beside_a_narrower_one() -> None:
    """One that is over inside of one that holds opens nothing."""
    blocks = BlockList([Block("192.0.2.7/32", NOW - 1, NOW), Block("192.0.2.0/24", NOW + 60, NOW)])

    assert blocks.contains("192.0.2.7", now=NOW)


def test_without_blocks_no_address_is_blocked() -> None:
    """Nor by one that cannot be read."""
    assert not block_list().contains("192.0.2.7", now=NOW)
    assert not block_list("nonsense").contains("192.0.2.7", now=NOW)


NETWORK: Final = ipaddress.ip_network("192.0.2.0/24")
BY: Final = "operator root"


def stores(rows: Rows) -> BlockStores:
    """Return what blocking needs over these rows."""
    return BlockStores(MemoryBlocks(rows), MemoryAudit(rows), rows.transaction)


def test_a_network_is_blocked_and_unblocked() -> None:
    """For as long as was said, with a reason; each change is in the audit trail, and expired blocks are deleted."""
    rows = Rows(blocks={"198.51.100.0/24": Block("198.51.100.0/24", NOW, NOW - 60)})

    made = block(NETWORK, "a flood", stores(rows), seconds=60, by=BY, now=NOW)
    block(NETWORK, "", stores(rows), seconds=30, by=BY, now=NOW)

    assert made == Block("192.0.2.0/24", NOW + 60, NOW, "a flood")
    assert rows.blocks == {"192.0.2.0/24": Block("192.0.2.0/24", NOW + 30, NOW)}
    assert unblock(NETWORK, stores(rows), by=BY, now=NOW) == NETWORK
    assert rows.blocks == {}
    details = ["192.0.2.0/24 for 60 s: a flood", "192.0.2.0/24 for 30 s", "192.0.2.0/24"]
    events = ["network_blocked", "network_blocked", "network_unblocked"]
    assert rows.trail == [Entry(NOW, event, by=BY, detail=text) for event, text in zip(events, details, strict=True)]


@pytest.mark.parametrize(
    ("network", "why", "reason"),
    [
        ("0.0.0.0/7", "", Reason.TOO_WIDE),
        ("::/18", "", Reason.TOO_WIDE),
        ("192.0.2.0/24", "two\nlines", Reason.BAD_REASON),
        ("192.0.2.0/24", "x" * 201, Reason.BAD_REASON),
    ],
)
def test_a_mistaken_block_is_refused(network: str, why: str, reason: Reason) -> None:
    """Most of the internet at once, and a reason that is not one short line, change nothing."""
    rows = Rows()

    refused = block(ipaddress.ip_network(network), why, stores(rows), seconds=60, by=BY, now=NOW)

    assert isinstance(refused, Refusal)
    assert refused.reason is reason
    assert (rows.blocks, rows.trail) == ({}, [])


def test_the_widest_networks_that_may_be_blocked() -> None:
    """A /8 of IPv4 and a /19 of IPv6 are accepted: a provider may own as much."""
    for network in ("10.0.0.0/8", "2001::/19"):
        assert isinstance(block(ipaddress.ip_network(network), "", stores(Rows()), seconds=1, by=BY, now=NOW), Block)


def test_a_network_that_is_not_blocked() -> None:
    """Unblocking is refused, and leaves no entry."""
    rows = Rows()

    assert unblock(NETWORK, stores(rows), by=BY, now=NOW) == Refusal(Reason.NOT_BLOCKED, "192.0.2.0/24")
    assert rows.trail == []
