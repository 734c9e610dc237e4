"""What sign-ins are compared with: argon2-cffi alone, one process for each processor, checking the right password.

Run as a script it is one of those processes: a line on standard input says how many seconds to hash, a line on
standard output how many hashes that were. It ends with its standard input.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher

from tests.bench.people import parameters
from tests.rig.parts import ROOT
from tests.rig.passwords import PASSWORD


class Bare:
    """The processes, idle until asked."""

    def __init__(self, processes: list[subprocess.Popen[str]]) -> None:
        self._processes = processes

    def rate(self, seconds: float) -> float:
        """Return hashes a second, all processes together, measured for that long."""
        for process in self._processes:
            assert process.stdin
            process.stdin.write(f"{seconds}\n")
            process.stdin.flush()
        return sum(float(process.stdout.readline()) for process in self._processes if process.stdout)


@contextmanager
def bare(processors: int) -> Iterator[Bare]:
    """Start the processes, and end them."""
    command = [sys.executable, "-m", "tests.bench.bare"]
    started: list[subprocess.Popen[str]] = []
    try:
        for _ in range(processors):
            process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
            )
            started.append(process)
        yield Bare(started)
    finally:
        for process in started:
            process.kill()
            process.communicate()


def _serve() -> None:
    cost = parameters()
    hasher = PasswordHasher(memory_cost=cost.memory_kib, time_cost=cost.iterations, parallelism=cost.parallelism)
    kept = hasher.hash(PASSWORD)
    for line in sys.stdin:
        began = time.perf_counter()
        hashes = 0
        while (elapsed := time.perf_counter() - began) < float(line):
            hasher.verify(kept, PASSWORD)
            hashes += 1
        print(hashes / elapsed, flush=True)  # noqa: T201


if __name__ == "__main__":
    _serve()
