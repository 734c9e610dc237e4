"""calm_failures, calm_p99_times, calm_gain, calm_right_password_s, calm_dear_p99_times: what floods do to others.

Failures are of checks that were due during a flood of wrong passwords, of all runs with the gate. The 99th percentile
is compared with the one of the quiet seconds before, in the median run. Gain: how many times worse the percentile is in
runs without the gate, which take turns with the others. A right password from a new network: the longest that one took,
all tries and waits together; the median run's. The last row is the percentile again, in floods of the dearest input.
"""

from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

from tests.bench.attacks import DEAR
from tests.bench.flood import FLOOD_SECONDS, Flood, flood
from tests.bench.rows import Goal, Row
from tests.bench.ungated import UNGATED
from tests.rig.servers import SERVICE

RUNS: Final = 3
UNGATED_RUNS: Final = 2
NAMES: Final = (
    "calm_failures",
    "calm_p99_times",
    "calm_gain",
    "calm_right_password_s",
    "calm_dear_p99_times",
)


def measure(say: Callable[[str], None]) -> tuple[list[Row], Flood, Flood]:
    """Return the rows, and for the picture the last flood with the gate and the last one without."""
    gated: list[Flood] = []
    ungated: list[Flood] = []
    dear: list[Flood] = []
    for number in range(RUNS):
        gated.append(flood(SERVICE))
        say(f"{_said(gated[-1])}, right passwords within {max(gated[-1].visits):.1f} s")
        dear.append(flood(SERVICE, DEAR))
        say(f"{_said(dear[-1])} with the dearest input")
        if number < UNGATED_RUNS:
            ungated.append(flood(UNGATED))
            say(f"99% within {ungated[-1].p99_ms():.0f} ms without the gate")
    return [*_rows(gated, ungated), _dear_row(dear)], gated[-1], ungated[-1]


def _rows(gated: list[Flood], ungated: list[Flood]) -> Iterator[Row]:
    failures = tuple(run.failures for run in gated)
    without = sum(run.failures for run in ungated)
    beside = f"of {_checks(gated)} session checks; without the gate {without} of {_checks(ungated)}"
    yield Row(NAMES[0], sum(failures), "checks", Goal(0), failures, beside)
    times = tuple(run.p99_times for run in gated)
    yield Row(NAMES[1], median(times), "times", Goal(4), times, _circumstances(gated))
    here, there = tuple(run.p99_ms() for run in gated), median(run.p99_ms() for run in ungated)
    gains = tuple(there / each for each in here)
    beside = f"99% within {there:,.0f} ms without the gate"
    yield Row(NAMES[2], there / median(here), "times", Goal(20, at_least=True), gains, beside)
    worst = tuple(max(run.visits) for run in gated)
    visits = [seconds for run in gated for seconds in run.visits]
    beside = f"half within {median(visits):.2f} s; {sum(run.tries for run in gated) / len(visits):.1f} tries each"
    yield Row(NAMES[3], median(worst), "s", Goal(5), worst, beside)


def _dear_row(runs: list[Flood]) -> Row:
    times = tuple(run.p99_times for run in runs)
    flooded, quiet = median(run.p99_ms() for run in runs), median(run.quiet_p99_ms for run in runs)
    failed = sum(run.failures for run in runs)
    beside = f"99% within {flooded:.1f} ms, {quiet:.1f} ms before; {failed} of {_checks(runs)} checks failed"
    return Row(NAMES[4], median(times), "times", Goal(4), times, beside)


def _said(run: Flood) -> str:
    return f"99% within {run.p99_ms():.1f} ms, {run.p99_times:.1f} times what it was before"


def _checks(runs: list[Flood]) -> str:
    return f"{sum(len(run.checks) for run in runs):,}"


def _circumstances(runs: list[Flood]) -> str:
    """Say how it is without a flood, what became of the wrong passwords, and what sending everything cost."""
    checked, shed = (median(run.wrong[status] for run in runs) / FLOOD_SECONDS for status in (401, 503))
    flooded, quiet = median(run.p99_ms() for run in runs), median(run.quiet_p99_ms for run in runs)
    late = median(run.late_ms for run in runs)
    own = median(run.own_share for run in runs)
    return (
        f"99% within {flooded:.1f} ms, {quiet:.1f} ms before; "
        f"{checked:.0f} wrong passwords a second were checked and {shed:.0f} shed; "
        f"the load generator took {own:.1%} of the processors and sent 99% at most {late:.1f} ms late"
    )
