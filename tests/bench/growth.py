"""growth_check, growth_sign_in: median times with 1,000,000 accounts and sessions, as multiples of those with 1,000.

Two services run side by side; one request here, one there, never two at once, of people from all over the database.
The check is a request for an app, about which nginx asks each time.
"""

import itertools
from collections.abc import Callable, Iterator
from statistics import median
from typing import Final, NamedTuple

from tests.bench.flood import PASSED
from tests.bench.load import Client
from tests.bench.rows import Goal, Row
from tests.bench.served import SIGNED_IN, Served

RUNS: Final = 5
EACH: Final = {"growth_check": 150, "growth_sign_in": 40}  # nginx ends a connection after 1,000 requests
WARM_UP: Final = 20
FEW: Final = 1000
MANY: Final = 1_000_000
NAMES: Final = tuple(EACH)
_CHECKED: Final = 20


class _Asked(NamedTuple):
    """A port, and requests for it without end."""

    port: int
    requests: Iterator[bytes]


def measure(few: Served, many: Served, names: set[str], say: Callable[[str], None]) -> Iterator[Row]:
    """Yield the rows that were asked for."""
    if NAMES[0] in names:
        yield _row(NAMES[0], _Asked(few.app, _checks(few)), _Asked(many.app, _checks(many)), PASSED, say)
    if NAMES[1] in names:
        here, there = (_Asked(each.servers.port, each.sign_ins()) for each in (few, many))
        yield _row(NAMES[1], here, there, SIGNED_IN, say)


def _checks(served: Served) -> Iterator[bytes]:
    """Return session checks without end, of people who have just signed in."""
    stride = served.people // _CHECKED
    return itertools.cycle([served.page(served.cookie(number * stride)) for number in range(_CHECKED)])


def _row(name: str, few: _Asked, many: _Asked, status: int, say: Callable[[str], None]) -> Row:
    """Alternate; the row is the ratio of the medians over all runs."""
    times: dict[int, list[float]] = {FEW: [], MANY: []}
    ratios = []
    asking = {FEW: few.requests, MANY: many.requests}
    with Client(few.port) as near, Client(many.port) as far:
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
