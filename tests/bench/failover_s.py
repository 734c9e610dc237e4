"""failover_s: a primary crashes, its standby is promoted, the name moves; until 50 sign-ins in a row have succeeded.

Counted from the moment at which the name leads to a server that writes: what PostgreSQL itself took is not the
service's. Four clients sign in without a pause before, meanwhile and afterwards. Each run makes the next standby.
"""

import contextlib
import itertools
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

from tests.bench import load, people
from tests.bench.load import Client
from tests.bench.rows import Goal, Row
from tests.bench.served import SIGNED_IN, UNLIMITED
from tests.rig import accounts, haproxy
from tests.rig.haproxy import Haproxy
from tests.rig.passwords import PASSWORD
from tests.rig.postgres import Postgres, running
from tests.rig.servers import Servers, prepared
from tests.rig.standby import Standby, standby_of
from tests.rig.until import until

NAME: Final = "failover_s"
RUNS: Final = 5
IN_A_ROW: Final = 50
AWAY_SECONDS: Final = 3.0
_CLIENTS: Final = 4


class _Tries:
    """Sign-ins of several clients: when and how each ended, in their order."""

    def __init__(self, servers: Servers) -> None:
        self.ended: list[tuple[float, bool]] = []
        self._port = servers.port
        self._is_over = threading.Event()

    @contextlib.contextmanager
    def under_way(self) -> Iterator[None]:
        """Sign in for as long as the block lasts."""
        threads = [threading.Thread(target=self._sign_in, args=(number,)) for number in range(_CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            for thread in threads:
                thread.join()

    def _sign_in(self, number: int) -> None:
        form = load.sign_in(self._port, people.username(number), PASSWORD)
        while not self._is_over.is_set():
            with contextlib.suppress(OSError), Client(self._port, number + 1) as client:
                status, _ = client.ask(form)
                self.ended.append((time.perf_counter(), status == SIGNED_IN))

    def rate(self) -> float:
        """Return sign-ins a second while all succeeded, at the end."""
        row = [at for at, _ in itertools.takewhile(lambda each: each[1], reversed(self.ended))]
        return (len(row) - 1) / (row[0] - row[-1])

    def since(self, moment: float) -> float | None:
        """Return after how many seconds the last of so many in a row succeeded; None while none has."""
        row = 0
        for at, is_in in list(self.ended):
            row = row + 1 if is_in and at > moment else 0
            if row == IN_A_ROW:
                return at - moment
        return None


def measure(say: Callable[[str], None]) -> Row:
    """Fail over again and again; the row is the median."""
    took, rates = [], []
    with contextlib.ExitStack() as stack:
        primary: Postgres = stack.enter_context(running())
        name = stack.enter_context(haproxy.leading_to(primary.port))
        address = name.address(primary.over_tcp(primary.new_database()))
        servers = stack.enter_context(prepared(edit_nginx=str, DATABASE_URL=address, **UNLIMITED))  # type: ignore[arg-type]
        accounts.add(servers, {people.username(number): {} for number in range(_CLIENTS)})
        servers.start()
        for _ in range(RUNS):
            standby = stack.enter_context(standby_of(primary, synchronous=True))
            tries = _Tries(servers)
            took.append(_failed_over(tries, primary, standby, name))
            rates.append(tries.rate())
            say(f"{took[-1]:.1f} s")
            primary = standby
    beside = f"the worst {max(took):.1f} s; {IN_A_ROW} sign-ins are {IN_A_ROW / median(rates):.1f} s of it"
    return Row(NAME, median(took), "s", Goal(5), tuple(took), beside)


def _failed_over(tries: _Tries, primary: Postgres, standby: Standby, name: Haproxy) -> float:
    """Return how many seconds after the move enough had succeeded."""
    with tries.under_way():
        time.sleep(1)
        primary.stop(signal.SIGQUIT)
        time.sleep(AWAY_SECONDS)
        standby.promote()
        name.move(standby.port, cut=True)
        moved = time.perf_counter()
        until(lambda: tries.since(moved), "people are in")
    return tries.since(moved) or math.inf
