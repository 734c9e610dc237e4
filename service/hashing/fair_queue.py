"""The fair queues before the hashing threads: which jobs wait, and which are evicted.

There are two queues, served in turn: one for known clients and one for all others, so that a flood from outside does
not keep known clients waiting, nor a known client all others (docs/decisions/0010). A queue is short, so that no job
waits long. In a full queue a job of the key with the most jobs is evicted; among keys with one job each, that of the
key that came most often lately. So a flood under some keys does not keep a new key out.

Not safe for threads: the gate holds its lock around every call.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Final

HALVED_EVERY: Final = 512
_SHARE_OF_THE_KNOWN: Final = 1 / 4


@dataclass(frozen=True, slots=True)
class Key:
    """The key of a job: a network; or, for a known client, its account or its one-time link."""

    name: str
    is_known: bool = False


@dataclass(eq=False, slots=True)
class Job:
    """A job in a queue. It is ready once it has `work`."""

    key: Key
    work: Callable[[], Any] | None = None
    answer: SimpleQueue[Any] = field(default_factory=SimpleQueue)
    is_evicted: bool = False


class FairQueue:
    """The jobs of one queue, and how often each key came lately."""

    def __init__(self) -> None:
        self._waiting: list[Job] = []
        self._came: Counter[str] = Counter()
        self._counted = 0

    def join(self, key: Key, *, room: int) -> tuple[Job | None, Job | None]:
        """Return the new job, or None when there is no place among `room`; and the job that was evicted for it."""
        self._count(key.name)
        evicted = None
        if len(self._waiting) >= room:
            mine = sum(job.key.name == key.name for job in self._waiting)
            evicted = self._ranking_below((mine, self._came[key.name]))
            if evicted is None:
                return None, None
            self._waiting.remove(evicted)
            evicted.is_evicted = True
        job = Job(key)
        self._waiting.append(job)
        return job, evicted

    def next(self) -> Job | None:
        """Return the first job that is ready; it leaves the queue."""
        for job in self._waiting:
            if job.work is not None:
                self._waiting.remove(job)
                return job
        return None

    def leave(self, job: Job) -> None:
        """Remove a job, unless it was served or evicted."""
        if job in self._waiting:
            self._waiting.remove(job)

    def _ranking_below(self, own: tuple[int, int]) -> Job | None:
        """Return the latest job of the key with the highest (jobs besides one, times it came); None if not above `own`.

        `own` are those figures of a key that joins: its jobs that wait already, and the times that it came.
        """
        jobs = Counter(job.key.name for job in self._waiting)
        ranks = {name: (count - 1, self._came[name]) for name, count in jobs.items()}
        last = max(ranks, key=lambda name: ranks[name], default=None)
        if last is None or ranks[last] <= own:
            return None
        return next(job for job in reversed(self._waiting) if job.key.name == last)

    def _count(self, name: str) -> None:
        """Count a key. All counts are halved every so often: old ones fade, and few keys are remembered."""
        self._came[name] += 1
        self._counted += 1
        if self._counted == HALVED_EVERY:
            self._came = Counter({each: times // 2 for each, times in self._came.items() if times > 1})
            self._counted = 0


class FairQueues:
    """The queue of known clients and the queue of all others."""

    def __init__(self) -> None:
        self._known = FairQueue()
        self._others = FairQueue()
        self._turn = (self._known, self._others)

    def join(self, key: Key, *, free: int, places: int) -> tuple[Job | None, Job | None]:
        """Return the new job, or None when there is no place; and the job that was evicted for it.

        `places` are those of both queues, besides the `free` threads; each queue has at least one.
        """
        if key.is_known:
            return self._known.join(key, room=free + math.ceil(places * _SHARE_OF_THE_KNOWN))
        return self._others.join(key, room=free + math.ceil(places * (1 - _SHARE_OF_THE_KNOWN)))

    def next(self) -> Job | None:
        """Return the first job that is ready in the queue whose turn it is, or else in the other one."""
        first, second = self._turn
        if (job := first.next()) is not None:
            self._turn = (second, first)
            return job
        return second.next()

    def leave(self, job: Job) -> None:
        """Remove a job, unless it was served or evicted."""
        (self._known if job.key.is_known else self._others).leave(job)
