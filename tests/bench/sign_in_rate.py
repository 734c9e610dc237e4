"""sign_in_rate: password sign-ins a second, end to end, as a share of what argon2-cffi alone does on all processors.

Eight clients, each on a connection and in a network of its own, sign in over and over through nginx and gunicorn;
each sign-in hashes once and commits a session. In turn with it, a process for each processor does nothing but check
the same password.
"""

from collections.abc import Callable
from statistics import median
from typing import Final

from service.hashing.cpu_budget import cpu_budget
from tests.bench.bare import bare
from tests.bench.load import closed_loop
from tests.bench.rows import Goal, Row
from tests.bench.served import Served

RUNS: Final = 7
SECONDS: Final = 5.0
CLIENTS: Final = 8
NAME: Final = "sign_in_rate"


def measure(served: Served, say: Callable[[str], None]) -> Row:
    """Run both in turn; the row is the median of the ratios."""
    alone, through, own = [], [], []
    with bare(cpu_budget()) as hashers:
        for _ in range(RUNS):
            alone.append(hashers.rate(SECONDS))
            load = closed_loop(served.servers.port, served.sign_ins(), clients=CLIENTS, warm_up=0.5, seconds=SECONDS)
            through.append(load.rate(303))
            own.append(load.own_cpu_seconds / SECONDS / cpu_budget())
            say(f"{through[-1]:.1f} sign-ins a second, argon2 alone {alone[-1]:.1f}")
    ratios = tuple(there / here for there, here in zip(through, alone, strict=True))
    beside = (
        f"{median(through):.1f} sign-ins a second of {median(alone):.1f} hashes; "
        f"the load generator took {median(own):.1%} of the processors"
    )
    return Row(NAME, median(ratios), "ratio", Goal(0.9, at_least=True), ratios, beside)
