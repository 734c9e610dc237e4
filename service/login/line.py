"""The line before the hashing threads: who may wait, and who is pushed out.

It is short, so that nobody waits long. When it is full, each network has a right to one place: whoever waits with
more gives way, and among those with one each the network that came least often lately has the better right. So a
flood from some networks cannot keep a fresh one out. One place more is kept for known devices, which nobody pushes
out (docs/decisions/0010).
Not safe for threads by itself: the gate holds its lock around every call.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Final

FADES_EVERY: Final = 512


@dataclass(frozen=True, slots=True)
class Seat:
    """In whose name somebody waits: a network; or an account, for whoever has a device, a session or a link of it."""

    name: str
    is_known: bool = False


@dataclass(eq=False, slots=True)
class Waiter:
    """One who waits. Without `work` the place is taken, and what to do comes soon."""

    seat: Seat
    work: Callable[[], Any] | None = None
    answer: SimpleQueue[Any] = field(default_factory=SimpleQueue)
    is_out: bool = False


class Line:
    """Whoever waits, and how often each network has come lately."""

    def __init__(self) -> None:
        self._waiting: list[Waiter] = []
        self._tries: Counter[str] = Counter()
        self._counted = 0

    def join(self, seat: Seat, *, free: int, places: int) -> tuple[Waiter | None, Waiter | None]:
        """Return the new waiter, or None when there is no place; and whoever was pushed out for it.

        `places` are those in the line, besides the `free` threads; a known device may take one more.
        """
        self._count(seat)
        mine = sum(waiter.seat.name == seat.name for waiter in self._waiting)
        if (
            mine
        ):  # known once at a time: else one person with many devices could fill the line, and nobody push them out
            seat = Seat(seat.name)
        if len(self._waiting) < free + places + seat.is_known:
            return self._seated(seat), None
        out = self._with_less_right_than((mine, self._tries[seat.name]))
        if out is None:
            return None, None
        self._waiting.remove(out)
        out.is_out = True
        return self._seated(seat), out

    def next(self) -> Waiter | None:
        """Return the first who is ready; it leaves the line."""
        for waiter in self._waiting:
            if waiter.work is not None:
                self._waiting.remove(waiter)
                return waiter
        return None

    def leave(self, waiter: Waiter) -> None:
        """Take somebody out who no longer wants to wait, if it is still there."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)

    def _seated(self, seat: Seat) -> Waiter:
        waiter = Waiter(seat)
        self._waiting.append(waiter)
        return waiter

    def _with_less_right_than(self, right: tuple[int, int]) -> Waiter | None:
        """Return the last waiter of the network that waits most, or of those with one each of the one that came most.

        None when nobody has less right than (how many of one's own wait already, how often one came).
        """
        others = [waiter.seat for waiter in self._waiting if not waiter.seat.is_known]
        rights = {seat: (many - 1, self._tries[seat.name]) for seat, many in Counter(others).items()}
        least = max(rights, key=lambda seat: rights[seat], default=None)
        if least is None or rights[least] <= right:
            return None
        return next(waiter for waiter in reversed(self._waiting) if waiter.seat == least)

    def _count(self, seat: Seat) -> None:
        """Count one try. Every so many all counts are halved: what is long ago fades, and few names are remembered."""
        self._tries[seat.name] += 1
        self._counted += 1
        if self._counted == FADES_EVERY:
            self._tries = Counter({name: tries // 2 for name, tries in self._tries.items() if tries > 1})
            self._counted = 0
