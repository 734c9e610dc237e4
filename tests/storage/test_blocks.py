"""Blocked networks: one suite for every place in which they are kept."""

import pytest

from service.access.block_list import Block, Blocks
from service.storage.blocks import SqlBlocks
from tests.rig.memory_store import MemoryBlocks, Rows
from tests.storage.conftest import SQL, of_engine
from tests.storage.stores import NOW

HERE, THERE, NEAR = "192.0.2.0/24", "2001:db8::/32", "192.0.2.7/32"


@pytest.fixture(params=["memory", *SQL])
def blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Blocks:
    """Every implementation of the port in turn, with nothing in it."""
    if request.param == "memory":
        return MemoryBlocks(Rows())
    return SqlBlocks(of_engine(request, monkeypatch))


def block(network: str, seconds: int = 60, reason: str = "") -> Block:
    """Return a block that holds for so many seconds from NOW."""
    return Block(network, NOW + seconds, NOW, reason)


def test_blocks_are_kept_as_they_were_made(blocks: Blocks) -> None:
    """In the order of their networks' bytes, with what was said of them."""
    kept = [block(HERE, reason="“night” 🦉; '--"), block(NEAR, 5), block(THERE, 1)]
    for each in reversed(kept):
        blocks.put(each)

    assert blocks.all(now=NOW) == kept


def test_a_block_holds_until_its_end(blocks: Blocks) -> None:
    """To the second, and a clock set back makes it hold again."""
    blocks.put(block(HERE, 60))

    assert [len(blocks.all(now=NOW + later)) for later in (-9, 0, 59, 60, 61, 59)] == [1, 1, 1, 0, 0, 1]


def test_a_network_has_one_block(blocks: Blocks) -> None:
    """The later one takes the place of the earlier one, longer or shorter, with its reason; others stay."""
    blocks.put(block(HERE, 60, "first"))
    blocks.put(block(NEAR, 60))

    for again in (block(HERE, 600, "longer"), Block(HERE, NOW + 30, NOW + 9, "shorter")):
        blocks.put(again)
        assert blocks.all(now=NOW) == [again, block(NEAR, 60)]


def test_a_network_is_let_in_again(blocks: Blocks) -> None:
    """It says whether there was a block; a network inside or around it is another one."""
    blocks.put(block(HERE))
    blocks.put(block(THERE))

    told = [blocks.remove(network) for network in (NEAR, HERE, HERE, "%", "")]

    assert told == [False, True, False, False, False]
    assert blocks.all(now=NOW) == [block(THERE)]


def test_blocks_that_are_over_go(blocks: Blocks) -> None:
    """And only those; it says how many there were."""
    for each in (block(HERE, 10), block(NEAR, 20), block(THERE, 21)):
        blocks.put(each)

    assert [blocks.delete_expired(now=NOW + 20), blocks.delete_expired(now=NOW + 20)] == [2, 0]
    assert blocks.all(now=NOW) == [block(THERE, 21)]
