"""roll_failures, roll_p99: what people feel while three instances go to the next release and back, one after another.

The three share a PostgreSQL database behind one nginx, which remembers nothing: 100 times a second it asks one of them
whether a person may use an app, and five times a second people sign in, both by schedule. After some quiet seconds the
tables go to a made-up next release, then each instance, then each goes back. Failures: checks that are not let through
and sign-ins that are not granted, in all. The 99th percentile of the checks is compared with that of the quiet seconds.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from tests.bench import load, people
from tests.bench.flood import PASSED, percentile
from tests.bench.open_loop import Stream, Timed, run, schedule
from tests.bench.rows import Goal, Row
from tests.bench.served import SIGNED_IN, Served, several_served
from tests.rig.directories import server_directory
from tests.rig.instances import Instances
from tests.rig.passwords import PASSWORD
from tests.rig.postgres import running
from tests.rig.releases import next_step

NAMES: Final = ("roll_failures", "roll_p99")
RUNS: Final = 1
CHECKS_A_SECOND: Final = 100
SIGN_INS_A_SECOND: Final = 5
QUIET_SECONDS: Final = 12.0
SECONDS: Final = 45.0
_PEOPLE: Final = 60
_WHO_ASK: Final = 40
_ASK_FROM: Final = range(2000, 2064)
_SIGN_IN_FROM: Final = range(3000, 3016)


@dataclass(frozen=True)
class Rolled:
    """The answers of one run, and when the exchange ended; it began after the quiet seconds."""

    checks: list[Timed]
    sign_ins: list[Timed]
    ended: float

    @property
    def failures(self) -> int:
        """How many requests did not get what they should have."""
        return sum(each.status != PASSED for each in self.checks) + sum(
            each.status != SIGNED_IN for each in self.sign_ins
        )

    def p99_ms(self, since: float, until: float) -> float:
        """Return the 99th percentile of the checks that were due in that time."""
        return 1000 * percentile([each.seconds for each in self.checks if since <= each.due < until], 99)


def measure(say: Callable[[str], None]) -> Iterator[Row]:
    """Exchange all instances there and back, so many times."""
    with running() as server, server_directory("code", mode=0o755) as place:
        later = next_step(place)
        runs = []
        for _ in range(RUNS):
            with several_served(3, _PEOPLE, server.new_database()) as (it, door):
                runs.append(_rolled(it, door, later))
            say(f"{runs[-1].failures} failures in {runs[-1].ended - QUIET_SECONDS:.0f} s, {_times(runs[-1]):.2f} times")
    requests = sum(len(each.checks) + len(each.sign_ins) for each in runs)
    failures = tuple(each.failures for each in runs)
    yield Row(NAMES[0], sum(failures), "requests", Goal(0), failures, f"of {requests:,} checks and sign-ins")
    quiet = median(each.p99_ms(1, QUIET_SECONDS) for each in runs)
    rolling = median(each.p99_ms(QUIET_SECONDS, each.ended) for each in runs)
    beside = f"99% of the checks within {rolling:.1f} ms, {quiet:.1f} ms before"
    yield Row(NAMES[1], median(map(_times, runs)), "times", Goal(2), tuple(map(_times, runs)), beside)


def _times(run: Rolled) -> float:
    return run.p99_ms(QUIET_SECONDS, run.ended) / run.p99_ms(1, QUIET_SECONDS)


def _rolled(it: Instances, door: Served, later: Path) -> Rolled:
    pages = [door.page(door.cookie(number)) for number in range(_WHO_ASK)]
    forms = [load.sign_in(it.front.port, people.username(number), PASSWORD) for number in range(_WHO_ASK, _PEOPLE)]
    until = SECONDS - 1.5
    checks, sign_ins = (
        Stream(port, requests, schedule(each_second=rate, since=0, until=until), networks=networks, until=SECONDS)
        for port, requests, rate, networks in (
            (door.app, pages, CHECKS_A_SECOND, _ASK_FROM),
            (it.front.port, forms, SIGN_INS_A_SECOND, _SIGN_IN_FROM),
        )
    )
    asking = threading.Thread(target=run, args=([checks, sign_ins], SECONDS))
    began = time.perf_counter()
    asking.start()
    time.sleep(QUIET_SECONDS)
    assert it.upgrade(later) == 0
    for release in (later, it.front.code):
        for number in range(len(it.each)):
            it.replace(number, release)
    ended = time.perf_counter() - began
    asking.join()
    assert ended < until, f"the exchange took {ended - QUIET_SECONDS:.0f} s: the load ended before"
    return Rolled(checks.answers, sign_ins.answers, ended)
