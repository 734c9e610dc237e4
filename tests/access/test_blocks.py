"""Blocks: whom they keep out, and for how long."""

import pytest

from service.access.blocks import Block, Fence

NOW = 1_800_000_000


def fence(*networks: str, until: int = NOW + 60) -> Fence:
    """Return blocks of some networks."""
    return Fence(Block(network, until, NOW) for network in networks)


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
    assert fence("192.0.2.0/24", "2001:db8::/32", "198.51.100.9").shuts_out(address, now=NOW) == is_out


def test_a_block_ends_by_itself() -> None:
    """To the second."""
    assert fence("192.0.2.0/24").shuts_out("192.0.2.1", now=NOW + 59)
    assert not fence("192.0.2.0/24").shuts_out("192.0.2.1", now=NOW + 60)


def test_a_wider_block_holds_beside_a_narrower_one() -> None:
    """One that is over inside of one that holds opens nothing."""
    blocks = Fence([Block("192.0.2.7/32", NOW - 1, NOW), Block("192.0.2.0/24", NOW + 60, NOW)])

    assert blocks.shuts_out("192.0.2.7", now=NOW)


def test_without_blocks_nobody_is_kept_out() -> None:
    """Nor by one that cannot be read."""
    assert not fence().shuts_out("192.0.2.7", now=NOW)
    assert not fence("nonsense").shuts_out("192.0.2.7", now=NOW)
