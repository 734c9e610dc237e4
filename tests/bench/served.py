"""The servers of the benchmarks: two workers, SQLite, the outer limits out of the way."""

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.bench import load, people
from tests.rig.servers import SERVICE, Servers, prepared

WORKERS: Final = 2


@dataclass(frozen=True)
class Served:
    """A running service and how many people it knows."""

    servers: Servers
    people: int

    def sign_ins(self) -> Iterator[bytes]:
        """Yield right sign-ins without end: of everybody in turn, far apart in the database."""
        stride = int(self.people * 0.618) | 1
        for number in itertools.count():
            who = people.username(number * stride % self.people)
            yield load.sign_in(self.servers.port, who, people.PASSWORD)


@contextlib.contextmanager
def stopped(count: int, *, application: str = SERVICE) -> Iterator[Servers]:
    """Yield servers that are not started, over a database with so many people."""
    with prepared(
        workers=WORKERS,
        application=application,
        LIMITS__POST_PER_MINUTE="1000000",
        LIMITS__EDGE_POST_PER_SECOND="100000",
    ) as servers:
        people.populate(servers, count)
        yield servers


@contextlib.contextmanager
def served(count: int) -> Iterator[Served]:
    """Yield a running service that knows so many people, warm."""
    with stopped(count) as servers:
        servers.start()
        asked = Served(servers, count)
        load.closed_loop(servers.port, asked.sign_ins(), clients=16, warm_up=0, seconds=1)
        yield asked
