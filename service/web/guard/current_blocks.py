"""The block list of this worker, at most a second old; needs no framework.

While the database does not answer, the list stays as it was last read.
"""

from contextlib import suppress

from service.access.block_list import BlockList, Blocks
from service.refresh import Refresh
from service.services import Unavailable


class CurrentBlocks:
    """The block list; safe for threads."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._refresh = Refresh()
        self._list = BlockList([])

    def contain(self, address: str, moment: float, *, now: int) -> bool:
        """Whether a client's address is blocked; `moment` is in seconds of the monotonic clock."""
        self._refresh(moment, lambda: self._read(now))
        return self._list.contains(address, now=now)

    def age(self, moment: float) -> float:
        """Return how long ago the list was read, in seconds."""
        return moment - self._refresh.read_at

    def _read(self, now: int) -> None:
        with suppress(Unavailable):
            self._list = BlockList(self._blocks.all(now=now))
