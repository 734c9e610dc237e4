"""postgres_check: median time of a check at the door that nginx does not remember, with PostgreSQL against SQLite.

Two services run side by side; one request for an app here, one there, never two at once. PostgreSQL is on this machine.
"""

import itertools
from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

from tests.bench.flood import PASSED
from tests.bench.load import Client
from tests.bench.rows import Goal, Row
from tests.bench.served import Served, served
from tests.rig.postgres import running

NAME: Final = "postgres_check"
RUNS: Final = 5
EACH: Final = 150  # nginx ends a connection after 1,000 requests
PEOPLE: Final = 20


def measure(say: Callable[[str], None]) -> Row:
    """Alternate; the row is the ratio of the medians over all runs."""
    with (
        running() as server,
        served(PEOPLE) as sqlite,
        served(PEOPLE, DATABASE_URL=server.new_database()) as postgresql,
        Client(sqlite.app) as near,
        Client(postgresql.app) as far,
    ):
        here, there = _checks(near, sqlite), _checks(far, postgresql)
        runs = [[(next(here), next(there)) for _ in range(EACH)] for _ in range(RUNS + 1)][1:]  # the first warms up
    ratios = tuple(median(far for _, far in run) / median(near for near, _ in run) for run in runs)
    here_ms, there_ms = (1000 * median(side) for side in zip(*itertools.chain(*runs), strict=True))
    beside = f"{there_ms:.2f} ms with PostgreSQL, {here_ms:.2f} ms with SQLite"
    say(beside)
    return Row(NAME, there_ms / here_ms, "ratio", Goal(2), ratios, beside)


def _checks(client: Client, service: Served) -> Iterator[float]:
    """Check the sessions of people who have just signed in, without end; yield the seconds that each check takes."""
    for request in itertools.cycle([service.page(service.cookie(number)) for number in range(PEOPLE)]):
        status, seconds = client.ask(request)
        assert status == PASSED, status
        yield seconds
