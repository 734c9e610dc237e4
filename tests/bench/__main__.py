"""Measure, show, write. Stops its servers however it ends."""

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Final

from tests.bench import (
    attacks,
    calm,
    door,
    edge_count,
    enumeration_ms,
    failover_s,
    flood,
    flood_plot,
    growth,
    keeping,
    lock_p99,
    machine,
    memory_mb,
    people,
    plot,
    postgres_check,
    revocation_s,
    roll,
    rows,
    scrape_p99,
    sign_in_beside_door,
    sign_in_rate,
    start_s,
)
from tests.bench.rows import Row
from tests.bench.served import WORKERS, served
from tests.rig.parts import ROOT

RESULT: Final = ROOT / "var" / "bench.json"
PICTURE: Final = ROOT / "var" / "bench.svg"
FLOOD: Final = ROOT / "var" / "flood.svg"
SERVED: Final = frozenset({sign_in_rate.NAME, enumeration_ms.NAME, *growth.NAMES})
NAMES: Final = (
    *(start_s.NAME, memory_mb.NAME, edge_count.NAME, scrape_p99.NAME, sign_in_rate.NAME),
    *(*door.NAMES, sign_in_beside_door.NAME, revocation_s.NAME),
    *(*roll.NAMES, lock_p99.NAME, *keeping.NAMES, failover_s.NAME, postgres_check.NAME),
    *(*calm.NAMES, enumeration_ms.NAME, *growth.NAMES),
)
_began: Final = time.monotonic()


def main(asked: list[str]) -> int:
    """Measure the rows that were asked for, or all; return 0, or 2 for a name that no row has.

    The first word of a name stands for all rows that begin with it.
    """
    known = {asking: {name for name in NAMES if asking in {name, name.partition("_")[0]}} for asking in asked}
    if unknown := [asking for asking, names in known.items() if not names]:
        _say("bench")(f"no such row: {' '.join(unknown)}; there are {' '.join(NAMES)}")
        return 2
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda number, _frame: sys.exit(128 + number))
    facts, versions = machine.machine(), machine.versions()
    if machine.is_busy():
        _say("bench")(f"other programs keep this machine busy (load {facts['load_before']}): expect worse figures")
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    measured = list(_measured(set().union(*known.values()) or set(NAMES)))
    rows.write(RESULT, measured, machine=facts, parameters=_parameters(), versions=versions)
    PICTURE.write_text(plot.svg(measured))
    sys.stdout.write(rows.table(measured))
    return 0


def _measured(names: set[str]) -> Iterator[Row]:
    each_alone = (start_s, memory_mb, edge_count, scrape_p99, sign_in_beside_door, revocation_s, lock_p99)
    for each in (*each_alone, failover_s, postgres_check):
        if each.NAME in names:
            yield each.measure(_say(each.NAME))
    if names & set(door.NAMES):
        yield from door.measure(names, _say("door"))
    if names & set(roll.NAMES):
        yield from roll.measure(_say("roll"))
    if names & set(calm.NAMES):
        yield from _calm()
    if names & SERVED:
        yield from _of_one_service(names)
    if names & set(keeping.NAMES):
        yield from keeping.measure(names, _say("keeping"))


def _calm() -> Iterator[Row]:
    found, gated, ungated = calm.measure(_say("calm"))
    FLOOD.write_text(flood_plot.svg(gated, ungated))
    yield from found


def _of_one_service(names: set[str]) -> Iterator[Row]:
    with served(growth.FEW) as few:
        if sign_in_rate.NAME in names:
            yield sign_in_rate.measure(few, _say(sign_in_rate.NAME))
        if enumeration_ms.NAME in names:
            yield enumeration_ms.measure(few, _say(enumeration_ms.NAME))
        if names & set(growth.NAMES):
            say = _say("growth")
            say(f"making {growth.MANY:,} accounts and sessions")
            with served(growth.MANY) as many:
                yield from growth.measure(few, many, names, say)


def _parameters() -> dict[str, object]:
    cost = people.parameters()
    return {
        "argon2id": {"memory_kib": cost.memory_kib, "iterations": cost.iterations, "parallelism": cost.parallelism},
        "workers": WORKERS,
        "sign_in_rate": {
            "runs": sign_in_rate.RUNS,
            "seconds": sign_in_rate.SECONDS,
            "clients": sign_in_rate.CLIENTS,
        },
        "calm": {
            "runs": calm.RUNS,
            "ungated_runs": calm.UNGATED_RUNS,
            "seconds": flood.FLOOD_SECONDS,
            "wrong_a_second": attacks.WRONG.each_second,
            "connections": attacks.WRONG.addresses,
            "dear_a_second": attacks.DEAR.each_second,
            "dear_connections": attacks.DEAR.addresses,
            "checks_a_second": flood.CHECKS_A_SECOND,
            "visitors": flood.VISITORS,
        },
        "door": {"runs": door.RUNS, "seconds": door.SECONDS, "connections": door.CONNECTIONS, "sessions": door.PEOPLE},
        "roll": {"runs": roll.RUNS, "checks": roll.CHECKS_A_SECOND, "sign_ins": roll.SIGN_INS_A_SECOND},
        "memory_mb": {"runs": memory_mb.RUNS},
        "edge_count": {"runs": edge_count.RUNS, "seconds": edge_count.SECONDS, "clients": edge_count.CLIENTS},
        "scrape_p99": {"runs": scrape_p99.RUNS, "seconds": scrape_p99.SECONDS},
        **_parameters_of_stores(),
        "growth": {"runs": growth.RUNS, "each": growth.EACH, "accounts": growth.MANY},
        "enumeration_ms": {"each": enumeration_ms.RUNS * enumeration_ms.EACH},
    }


def _parameters_of_stores() -> dict[str, object]:
    return {
        "backup_writes": {"runs": keeping.RUNS, "seconds": keeping.SECONDS, "clients": keeping.CLIENTS},
        "restore_cost": {"runs": keeping.RESTORES, "accounts": keeping.PEOPLE},
        "failover_s": {"runs": failover_s.RUNS, "away_seconds": failover_s.AWAY_SECONDS},
        "postgres_check": {"runs": postgres_check.RUNS, "each": postgres_check.EACH},
    }


def _say(name: str) -> Callable[[str], None]:
    """Return what shows progress of one row."""

    def say(what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - _began:5.0f} s  {name:15s} {what}\n")

    return say


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
    sys.exit(128 + signal.SIGINT)
