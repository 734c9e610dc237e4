"""sign_in_beside_door: sign-ins a second while the door is in use, as a share of those without that.

Eight clients sign in over and over; beside them, by schedule, come 500 requests a second that nginx remembers (from 20
people) and 50 about which it asks each time (of paths that did not come before). In turn: the same without these.
"""

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Final

from tests.bench.flood import PASSED
from tests.bench.load import closed_loop
from tests.bench.open_loop import Stream, run, schedule
from tests.bench.rows import Goal, Row
from tests.bench.served import SIGNED_IN, Served, served

NAME: Final = "sign_in_beside_door"
RUNS: Final = 7
SECONDS: Final = 4.0
CLIENTS: Final = 8
CACHED_A_SECOND: Final = 500
UNCACHED_A_SECOND: Final = 50
_PEOPLE: Final = 1000
_ASK: Final = 20
_OTHER_PATHS: Final = 500
_KEYED_BY_ITSELF: Final = "/wiki/%%20%d"
_CACHED_FROM: Final = range(2000, 2016)
_UNCACHED_FROM: Final = range(2100, 2108)


def measure(say: Callable[[str], None]) -> Row:
    """Sign in with the door in use and without in turn; the row is the median of the ratios."""
    beside, alone = [], []
    with served(_PEOPLE, cache_seconds=1) as door:
        cookies = [door.cookie(number) for number in range(_ASK)]
        for _ in range(RUNS):
            alone.append(_sign_ins(door))
            with _used(door, cookies):
                beside.append(_sign_ins(door))
            say(f"{beside[-1]:.1f} sign-ins a second beside the door, {alone[-1]:.1f} without")
    ratios = tuple(with_ / without for with_, without in zip(beside, alone, strict=True))
    said = f"{median(beside):.1f} sign-ins a second of {median(alone):.1f}"
    return Row(NAME, median(ratios), "ratio", Goal(0.9, at_least=True), ratios, said)


def _sign_ins(door: Served) -> float:
    load = closed_loop(door.servers.port, door.sign_ins(), clients=CLIENTS, warm_up=0.5, seconds=SECONDS)
    return load.statuses[SIGNED_IN] / SECONDS  # a busy gate may shed some


@contextmanager
def _used(door: Served, cookies: list[str]) -> Iterator[None]:
    """Ask for the app in a thread, for as long as the sign-ins take."""
    until = SECONDS + 0.5
    pages = [door.page(each) for each in cookies]
    others = [door.page(cookies[number % _ASK], _KEYED_BY_ITSELF % number) for number in range(_OTHER_PATHS)]
    streams = [
        Stream(door.app, pages, _moments(CACHED_A_SECOND, until), networks=_CACHED_FROM, until=until),
        Stream(door.app, others, _moments(UNCACHED_A_SECOND, until), networks=_UNCACHED_FROM, until=until),
    ]
    asking = threading.Thread(target=run, args=(streams, until + 1))
    asking.start()
    try:
        yield
    finally:
        asking.join()
    answers = itertools.chain.from_iterable(stream.answers for stream in streams)
    found = Counter(answer.status for answer in answers)
    assert found.keys() == {PASSED}, found


def _moments(each_second: int, until: float) -> list[float]:
    return schedule(each_second=each_second, since=0, until=until)
