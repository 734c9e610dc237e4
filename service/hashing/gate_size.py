"""The size of a worker's hashing gate: the one place where the threads of a worker are shared out."""

from dataclasses import dataclass
from typing import Final

KEPT_FREE: Final = 4  # of a worker's threads, for requests that hash nothing


@dataclass(frozen=True, slots=True)
class GateSize:
    """The hash threads of a worker, the jobs that wait beside them, and the threads that the smallest gate leaves.

    A flood may fill the hash threads and one place in each of the two queues: with `left` below 1 it fills the worker.
    """

    threads: int
    waiting: int
    left: int


def gate_size(*, budget: int | None, cpus: int, workers: int, threads: int) -> GateSize:
    """Return the gate of one of so many workers with so many threads each.

    `budget` is the number of hash threads of all workers; without one, every processor gets a hash thread, as long as
    half of the worker's threads stay free.
    """
    hashing = max(1, min(cpus // workers, threads // 2) if budget is None else budget // workers)
    rounded_up = 1  # the queues' shares of the places
    return GateSize(hashing, max(1, threads - hashing - rounded_up - KEPT_FREE), threads - hashing - 2)
