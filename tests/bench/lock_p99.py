"""lock_p99: session checks while an upgrade of the tables meets a dump that holds one of them, against before.

A service over PostgreSQL is asked 100 times a second whether a person may use an app; nginx remembers nothing. After
some quiet seconds a transaction locks the tables as pg_dump does, and `vestibule db upgrade` of a made-up next release,
whose step changes the accounts, waits for it. Then the dump ends, and the upgrade with it, while the checks go on.
Counted from the moment at which the command says that it waits: the start of a program is another matter.
"""

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

import psycopg

from tests.bench.flood import PASSED, percentile
from tests.bench.open_loop import Stream, Timed, run, schedule
from tests.bench.rows import Goal, Row
from tests.bench.served import Served, several_served
from tests.rig.directories import server_directory
from tests.rig.instances import Instances
from tests.rig.postgres import running
from tests.rig.releases import environ_of, next_step
from tests.rig.servers import VESTIBULE

NAME: Final = "lock_p99"
RUNS: Final = 3
CHECKS_A_SECOND: Final = 100
QUIET_SECONDS: Final = 8.0
MET_SECONDS: Final = 10.0
SECONDS: Final = QUIET_SECONDS + MET_SECONDS + 4
_PEOPLE: Final = 40
_ASK_FROM: Final = range(2000, 2064)
_AS_PG_DUMP: Final = b"BEGIN; LOCK TABLE accounts, account_groups, sessions IN ACCESS SHARE MODE"


def measure(say: Callable[[str], None]) -> Row:
    """Meet the dump so many times, each with a service and a database of its own."""
    quiet, met = [], []
    with running() as server, server_directory("code", mode=0o755) as place:
        later = next_step(place)
        for _ in range(RUNS):
            with several_served(1, _PEOPLE, address := server.new_database()) as (it, door):
                before, there = _asked(it, door, later, address)
            quiet.append(before)
            met.append(there)
            say(f"99% of the checks within {there:.1f} ms, {before:.1f} ms before")
    times = tuple(there / here for there, here in zip(met, quiet, strict=True))
    beside = f"99% of the checks within {median(met):.1f} ms, {median(quiet):.1f} ms before"
    return Row(NAME, median(times), "times", Goal(2), times, beside)


def _p99_ms(answers: list[Timed], since: float, until: float) -> float:
    return 1000 * percentile([each.seconds for each in answers if since <= each.due < until], 99)


def _asked(it: Instances, door: Served, later: Path, address: str) -> tuple[float, float]:
    """Return the percentiles before and after the meeting. All checks must pass, and the upgrade wait, then work."""
    pages = [door.page(door.cookie(number)) for number in range(_PEOPLE)]
    moments = schedule(each_second=CHECKS_A_SECOND, since=0, until=SECONDS - 0.5)
    checks = Stream(door.app, pages, moments, networks=_ASK_FROM, until=SECONDS)
    asking = threading.Thread(target=run, args=([checks], SECONDS))
    began = time.perf_counter()
    asking.start()
    time.sleep(QUIET_SECONDS)
    with psycopg.connect(address) as dump:
        dump.execute(_AS_PG_DUMP)
        upgrade = subprocess.Popen(
            it.front.become(*VESTIBULE, "db", "upgrade"),
            env=environ_of(later, it.front.environ), cwd=later,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert upgrade.stderr
        said = upgrade.stderr.readline()
        met = time.perf_counter() - began
        time.sleep(MET_SECONDS)
    out, _ = upgrade.communicate(timeout=30)
    asking.join()
    assert "holds a lock on accounts" in said, said
    assert "was brought from revision" in out, out
    assert {each.status for each in checks.answers} == {PASSED}
    return _p99_ms(checks.answers, 1, QUIET_SECONDS), _p99_ms(checks.answers, met, SECONDS)
