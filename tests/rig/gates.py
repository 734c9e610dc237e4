"""Gates for tests: small ones, ones that are full, and the base of those behind which something happens meanwhile."""

from collections.abc import Callable

from service.hashing.fair_queue import Key
from service.hashing.gate import HashingGate, Result, Shed

KEY = Key("192.0.2.7/32")


class Gate(HashingGate):
    """A gate of a test's own; subclasses override `work`. Its clock stands still: a busy machine sheds no request."""

    def __init__(self, *, threads: int = 1, waiting: int = 8) -> None:
        super().__init__(threads=threads, waiting=waiting, timer=lambda: 0.0)

    def run(self, work: Callable[[], Result], key: Key = KEY) -> Result | Shed:
        """Hold a slot and do the work, as the rules do."""
        with self.slot(key) as slot:
            return slot if isinstance(slot, Shed) else slot.run(work)


def full_gate() -> Gate:
    """Return a gate that sheds every job."""
    return Gate(threads=0, waiting=0)
