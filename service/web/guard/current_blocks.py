"""The block list of this worker, at most a second old; needs no framework.

While the database does not answer, the list stays as it was last read.
"""

import threading
from contextlib import suppress
from typing import Final

from service.access.block_list import BlockList, Blocks
from service.services import Unavailable

READ_EVERY_SECONDS: Final = 0.9
LONGEST_READ_SECONDS: Final = 1.0


class CurrentBlocks:
    """The block list; safe for threads."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._reading = threading.Lock()
        self._read_at = float("-inf")
        self._list = BlockList([])

    def contain(self, address: str, moment: float, *, now: int) -> bool:
        """Whether a client's address is blocked; `moment` is in seconds of the monotonic clock."""
        return self._current(moment, now=now).contains(address, now=now)

    def age(self, moment: float) -> float:
        """Return how long ago the list was read, in seconds."""
        return moment - self._read_at

    def _current(self, moment: float, *, now: int) -> BlockList:
        """Return the list. One thread reads it when that is due; the others wait only if the list is too old."""
        age = moment - self._read_at
        patience = LONGEST_READ_SECONDS if age >= 2 * READ_EVERY_SECONDS else 0
        if age >= READ_EVERY_SECONDS and self._reading.acquire(timeout=patience):
            try:
                if self._read_at < moment:  # no other thread did it meanwhile
                    self._read(now)
                    self._read_at = moment
            finally:
                self._reading.release()
        return self._list

    def _read(self, now: int) -> None:
        with suppress(Unavailable):
            self._list = BlockList(self._blocks.all(now=now))
