"""growth_sign_in: the median time of a sign-in with 1,000,000 accounts and sessions, as a multiple of that with 1,000.

Two services run side by side; one sign-in here, one there, never two at once, of people from all over the database.
"""

from collections.abc import Callable
from statistics import median
from typing import Final

from tests.bench.load import Client
from tests.bench.rows import Goal, Row
from tests.bench.served import Served

RUNS: Final = 5
EACH: Final = 40
WARM_UP: Final = 20
FEW: Final = 1000
MANY: Final = 1_000_000
NAME: Final = "growth_sign_in"


def measure(few: Served, many: Served, say: Callable[[str], None]) -> Row:
    """Alternate; the row is the ratio of the medians over all runs."""
    times: dict[int, list[float]] = {FEW: [], MANY: []}
    ratios = []
    asking = {FEW: few.sign_ins(), MANY: many.sign_ins()}
    with Client(few.servers.port) as near, Client(many.servers.port) as far:
        clients = {FEW: near, MANY: far}

        def turn() -> dict[int, float]:
            return {size: _seconds(clients[size], next(asking[size])) for size in clients}

        for _ in range(WARM_UP):
            turn()
        for _ in range(RUNS):
            taken = [turn() for _ in range(EACH)]
            for size, known in times.items():
                known += [each[size] for each in taken]
            ratios.append(median(each[MANY] for each in taken) / median(each[FEW] for each in taken))
            say(f"{ratios[-1]:.3f} times the time of a sign-in with {FEW:,} accounts")
    here, there = (median(known) * 1000 for known in times.values())
    beside = f"{there:.2f} ms with {MANY:,}, {here:.2f} ms with {FEW:,} accounts and sessions"
    return Row(NAME, there / here, "ratio", Goal(1.2), tuple(ratios), beside)


def _seconds(client: Client, request: bytes) -> float:
    status, seconds = client.ask(request)
    assert status == 303, status
    return seconds
