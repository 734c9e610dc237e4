"""The size of the hashing gate: how a worker's threads are shared out."""

import pytest

from service.hashing.gate_size import GateSize, gate_size


@pytest.mark.parametrize(
    ("budget", "cpus", "workers", "threads", "size"),
    [
        (None, 2, 2, 16, GateSize(threads=1, waiting=10, left=13)),
        (None, 64, 1, 16, GateSize(threads=8, waiting=3, left=6)),
        (4, 2, 2, 16, GateSize(threads=2, waiting=9, left=12)),
        (1, 2, 2, 16, GateSize(threads=1, waiting=10, left=13)),
        (6, 6, 1, 8, GateSize(threads=6, waiting=1, left=0)),
        (None, 1, 1, 4, GateSize(threads=1, waiting=1, left=1)),
    ],
)
def test_the_threads_of_a_worker_are_shared_out(
    budget: int | None, cpus: int, workers: int, threads: int, size: GateSize
) -> None:
    """Each worker hashes with its share of the budget, and keeps threads free for other requests where it can."""
    assert gate_size(budget=budget, cpus=cpus, workers=workers, threads=threads) == size
