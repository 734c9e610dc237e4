"""enumeration_ms: how far the median time of a wrong password for a known name lies from that for an unknown one.

200 each, one known, one unknown, on an idle machine, all names as long as one another and each used once.
"""

from collections.abc import Callable
from statistics import median
from typing import Final

from tests.bench.load import Client, sign_in
from tests.bench.people import username
from tests.bench.rows import Goal, Row
from tests.bench.served import Served

RUNS: Final = 5
EACH: Final = 40
WARM_UP: Final = 20
NAME: Final = "enumeration_ms"
_WRONG: Final = "eleven kettles argue about rain"


def measure(served: Served, say: Callable[[str], None]) -> Row:
    """Alternate; the row is the difference of the medians over all runs, without its sign."""
    known: list[float] = []
    unknown: list[float] = []
    apart = []
    with Client(served.servers.port) as client:

        def seconds(name: str) -> float:
            status, taken = client.ask(sign_in(served.servers.port, name, _WRONG))
            assert status == 401, status
            return taken

        for number in range(WARM_UP):
            seconds(username(number))
        for run in range(RUNS):
            for number in range(run * EACH, (run + 1) * EACH):
                known.append(seconds(username(100 + number)))
                unknown.append(seconds(username(100 + number).replace("person", "nobody")))
            apart.append(1000 * (median(known[-EACH:]) - median(unknown[-EACH:])))
            say(f"{apart[-1]:+.2f} ms")
    here, there = median(known) * 1000, median(unknown) * 1000
    beside = f"{here:.2f} ms for a known name, {there:.2f} ms for an unknown one"
    return Row(NAME, abs(here - there), "ms", Goal(2), tuple(abs(each) for each in apart), beside)
