"""The lines before the hashing threads: who may wait, and who is pushed out.

There are two, served in turn: one for whoever is known, one for everybody else. So no flood from outside keeps known
people waiting for long, and no insider keeps strangers out (docs/decisions/0010).
A line is short, so that nobody waits long. When it is full, each name has a right to one place: whoever waits with
more gives way, and among those with one each the name that came least often lately has the better right. So a flood
in some names cannot keep a fresh one out.
Not safe for threads by themselves: the gate holds its lock around every call.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Final

FADES_EVERY: Final = 512
_SHARE_OF_THE_KNOWN: Final = 1 / 4


@dataclass(frozen=True, slots=True)
class Key:
    """In whose name somebody waits: a network; or an account, for whoever has a device, a session or a link of it."""

    name: str
    is_known: bool = False


@dataclass(eq=False, slots=True)
class Job:
    """One who waits. Without `work` the place is taken, and what to do comes soon."""

    key: Key
    work: Callable[[], Any] | None = None
    answer: SimpleQueue[Any] = field(default_factory=SimpleQueue)
    is_evicted: bool = False


class FairQueue:
    """Whoever waits in one line, and how often each name has come lately."""

    def __init__(self) -> None:
        self._waiting: list[Job] = []
        self._tries: Counter[str] = Counter()
        self._counted = 0

    def join(self, key: Key, *, room: int) -> tuple[Job | None, Job | None]:
        """Return the new waiter, or None when there is no place among `room`; and whoever was pushed out for it."""
        self._count(key.name)
        out = None
        if len(self._waiting) >= room:
            mine = sum(job.key.name == key.name for job in self._waiting)
            out = self._with_less_right_than((mine, self._tries[key.name]))
            if out is None:
                return None, None
            self._waiting.remove(out)
            out.is_evicted = True
        job = Job(key)
        self._waiting.append(job)
        return job, out

    def next(self) -> Job | None:
        """Return the first who is ready; it leaves the line."""
        for job in self._waiting:
            if job.work is not None:
                self._waiting.remove(job)
                return job
        return None

    def leave(self, job: Job) -> None:
        """Take somebody out who no longer wants to wait, if it is still there."""
        if job in self._waiting:
            self._waiting.remove(job)

    def _with_less_right_than(self, right: tuple[int, int]) -> Job | None:
        """Return the last waiter of the name that waits most, or of those with one each of the one that came most.

        None when nobody has less right than (how many of one's own wait already, how often one came).
        """
        many = Counter(job.key.name for job in self._waiting)
        rights = {name: (of_it - 1, self._tries[name]) for name, of_it in many.items()}
        least = max(rights, key=lambda name: rights[name], default=None)
        if least is None or rights[least] <= right:
            return None
        return next(job for job in reversed(self._waiting) if job.key.name == least)

    def _count(self, name: str) -> None:
        """Count one try. Every so many all counts are halved: what is long ago fades, and few names are remembered."""
        self._tries[name] += 1
        self._counted += 1
        if self._counted == FADES_EVERY:
            self._tries = Counter({each: tries // 2 for each, tries in self._tries.items() if tries > 1})
            self._counted = 0


class FairQueues:
    """The line of the known and the line of everybody else."""

    def __init__(self) -> None:
        self._known = FairQueue()
        self._others = FairQueue()
        self._turn = (self._known, self._others)

    def join(self, key: Key, *, free: int, places: int) -> tuple[Job | None, Job | None]:
        """Return the new waiter, or None when there is no place; and whoever was pushed out for it.

        `places` are those in both lines, besides the `free` threads; each line has at least one.
        """
        if key.is_known:
            return self._known.join(key, room=free + math.ceil(places * _SHARE_OF_THE_KNOWN))
        return self._others.join(key, room=free + math.ceil(places * (1 - _SHARE_OF_THE_KNOWN)))

    def next(self) -> Job | None:
        """Return the first who is ready in the line whose turn it is, or else in the other; it leaves the line."""
        first, second = self._turn
        if (job := first.next()) is not None:
            self._turn = (second, first)
            return job
        return second.next()

    def leave(self, job: Job) -> None:
        """Take somebody out who no longer wants to wait, if it is still there."""
        (self._known if job.key.is_known else self._others).leave(job)
