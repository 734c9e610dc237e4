"""calm_failures, calm_p99_ms, calm_gain, calm_right_password_s: what a flood of wrong passwords does to everybody else.

Failures and the 99th percentile are of checks that were due during the flood, of all runs with the gate and of the
median one. Gain: how many times worse the percentile is in runs without the gate, which take turns with the others. The
last row is the longest that a right password took from a new network, all tries and waits together; the median run's.
"""

from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

from tests.bench.flood import FLOOD_SECONDS, Flood, flood
from tests.bench.rows import Goal, Row
from tests.bench.ungated import UNGATED
from tests.rig.servers import SERVICE

RUNS: Final = 3
UNGATED_RUNS: Final = 2
NAMES: Final = ("calm_failures", "calm_p99_ms", "calm_gain", "calm_right_password_s")


def measure(say: Callable[[str], None]) -> tuple[list[Row], Flood, Flood]:
    """Return the rows, and for the picture the last flood with the gate and the last one without."""
    gated: list[Flood] = []
    ungated: list[Flood] = []
    for number in range(RUNS):
        gated.append(flood(SERVICE))
        say(f"99% within {gated[-1].p99_ms():.1f} ms, right passwords within {max(gated[-1].visits):.1f} s")
        if number < UNGATED_RUNS:
            ungated.append(flood(UNGATED))
            say(f"99% within {ungated[-1].p99_ms():.0f} ms without the gate")
    return list(_rows(gated, ungated)), gated[-1], ungated[-1]


def _rows(gated: list[Flood], ungated: list[Flood]) -> Iterator[Row]:
    failures = tuple(run.failures for run in gated)
    without = sum(run.failures for run in ungated)
    beside = f"of {_checks(gated)} session checks; without the gate {without} of {_checks(ungated)}"
    yield Row(NAMES[0], sum(failures), "checks", Goal(0), failures, beside)
    here, there = tuple(run.p99_ms() for run in gated), median(run.p99_ms() for run in ungated)
    yield Row(NAMES[1], median(here), "ms", Goal(50), here, _circumstances(gated))
    gains = tuple(there / each for each in here)
    beside = f"99% within {there:,.0f} ms without the gate"
    yield Row(NAMES[2], there / median(here), "times", Goal(20, at_least=True), gains, beside)
    worst = tuple(max(run.visits) for run in gated)
    visits = [seconds for run in gated for seconds in run.visits]
    beside = f"half within {median(visits):.2f} s; {sum(run.tries for run in gated) / len(visits):.1f} tries each"
    yield Row(NAMES[3], median(worst), "s", Goal(10), worst, beside)


def _checks(runs: list[Flood]) -> str:
    return f"{sum(len(run.checks) for run in runs):,}"


def _circumstances(runs: list[Flood]) -> str:
    """Say how it is without a flood, what became of the wrong passwords, and what sending everything cost."""
    checked, shed = (median(run.wrong[status] for run in runs) / FLOOD_SECONDS for status in (401, 503))
    quiet, late = median(run.quiet_p99_ms for run in runs), median(run.late_ms for run in runs)
    own = median(run.own_share for run in runs)
    return (
        f"{quiet:.1f} ms before the flood, of which {checked:.0f} a second were checked and {shed:.0f} shed; "
        f"the load generator took {own:.1%} of the processors and sent 99% at most {late:.1f} ms late"
    )
