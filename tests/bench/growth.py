"""growth_check, growth_sign_in: median times with 1,000,000 accounts and sessions, as multiples of those with 1,000.

Two services run side by side; one request here, one there, never two at once, of people from all over the database.
The check is the one of the flood: a page that depends on a live session.
"""

import itertools
from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

from tests.bench.flood import CHECK, SIGNED_IN, cookie
from tests.bench.load import Client, page
from tests.bench.rows import Goal, Row
from tests.bench.served import Served

RUNS: Final = 5
EACH: Final = {"growth_check": 150, "growth_sign_in": 40}  # nginx ends a connection after 1,000 requests
WARM_UP: Final = 20
FEW: Final = 1000
MANY: Final = 1_000_000
NAMES: Final = tuple(EACH)
_CHECKED: Final = 20


def measure(few: Served, many: Served, names: set[str], say: Callable[[str], None]) -> Iterator[Row]:
    """Yield the rows that were asked for."""
    if NAMES[0] in names:
        yield _row(NAMES[0], few, many, _checks, CHECK.status, say)
    if NAMES[1] in names:
        yield _row(NAMES[1], few, many, Served.sign_ins, SIGNED_IN, say)


def _checks(served: Served) -> Iterator[bytes]:
    """Return session checks without end, of people who have just signed in."""
    stride = served.people // _CHECKED
    cookies = [cookie(served.servers, number * stride) for number in range(_CHECKED)]
    return itertools.cycle([page(served.servers.port, CHECK.path, each) for each in cookies])


def _row(
    name: str,
    few: Served,
    many: Served,
    requests: Callable[[Served], Iterator[bytes]],
    status: int,
    say: Callable[[str], None],
) -> Row:
    """Alternate; the row is the ratio of the medians over all runs."""
    times: dict[int, list[float]] = {FEW: [], MANY: []}
    ratios = []
    asking = {FEW: requests(few), MANY: requests(many)}
    with Client(few.servers.port) as near, Client(many.servers.port) as far:
        clients = {FEW: near, MANY: far}

        def turn() -> dict[int, float]:
            return {size: _seconds(clients[size], next(asking[size]), status) for size in clients}

        for _ in range(WARM_UP):
            turn()
        for _ in range(RUNS):
            taken = [turn() for _ in range(EACH[name])]
            for size, known in times.items():
                known += [each[size] for each in taken]
            ratios.append(median(each[MANY] for each in taken) / median(each[FEW] for each in taken))
            say(f"{name}: {ratios[-1]:.3f} times the time with {FEW:,} accounts")
    here, there = (median(known) * 1000 for known in times.values())
    beside = f"{there:.2f} ms with {MANY:,}, {here:.2f} ms with {FEW:,} accounts and sessions"
    return Row(name, there / here, "ratio", Goal(1.1), tuple(ratios), beside)


def _seconds(client: Client, request: bytes, expected: int) -> float:
    status, seconds = client.ask(request)
    assert status == expected, status
    return seconds
