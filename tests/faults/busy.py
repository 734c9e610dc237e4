"""How much other programs slow this machine down, right now."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

_SECONDS: Final = 0.3
_UNNOTICED: Final = 1.15


def busy_times() -> float:
    """Return how many times longer something takes that needs a processor: 1 on a machine that does nothing else."""
    with ThreadPoolExecutor(1) as threads:
        times = threads.submit(_spin).result()
    return times if times > _UNNOTICED else 1.0


def _spin() -> float:
    """Want one processor for a moment; the time for which this thread had none is in the kernel's count (proc(5))."""
    counts = Path("/proc/thread-self/schedstat")
    if not counts.exists():
        return 1.0
    before, until = _waited(counts), time.perf_counter() + _SECONDS
    while time.perf_counter() < until:
        pass
    after = _waited(counts)
    ran, waited = (after[index] - before[index] for index in (0, 1))
    return (ran + waited) / ran


def _waited(counts: Path) -> list[int]:
    return [int(word) for word in counts.read_text().split()]
