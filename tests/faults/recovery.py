"""How long it takes until the traffic is as it was before a fault: its failures, and its 99th percentile.

Moments are seconds since the traffic began. What counts as usual is measured in the same run, before the fault.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WINDOW_SECONDS: Final = 1.0
_STEP_SECONDS: Final = 0.1
_WATCHED_SECONDS: Final = 2.0  # a fault may show late
_TIMES: Final = 2  # the 99th percentile of one second, against that of all the quiet seconds before
_SLACK_SECONDS: Final = 0.2  # what other programs on the machine may do to one request of a second


class Kind(StrEnum):
    """What was asked."""

    SIGN_IN = "sign-in"
    CHECK = "session check"


class Outcome(StrEnum):
    """As it should be; refused for now, with a time at which to come back; or without a proper answer."""

    RIGHT = "right"
    LATER = "later"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: when it was due, how long its answer took from then, and what it was."""

    due: float
    seconds: float
    kind: Kind
    outcome: Outcome
    status: int

    def __str__(self) -> str:
        return f"{self.kind} at {self.due:.1f} s: {self.status or 'no answer'} after {self.seconds:.2f} s"

    @property
    def counts_as_failed(self) -> bool:
        """Whether the client did not get what a healthy service gives. A sign-in may be told to come back."""
        return self.outcome is Outcome.FAILED or (self.kind is Kind.CHECK and self.outcome is Outcome.LATER)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that so many percent of them do not exceed; 0 of none."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1] if values else 0.0


def usual_seconds(asked: Sequence[Asked], *, until: float) -> float:
    """Return the 99th percentile of the checks before a fault."""
    return percentile([each.seconds for each in asked if each.kind is Kind.CHECK and each.due < until], 99)


def recovered_after(asked: Sequence[Asked], *, since: float, complete_until: float, usual: float) -> float | None:
    """Return the seconds from `since` to the first second of traffic as it was before; None while there is none.

    It lies behind the last request that failed, the 99th percentile of its checks is as usual, and a sign-in succeeds.
    """
    later = [each for each in asked if since < each.due < complete_until]
    first = max([since, *(each.due for each in later if each.counts_as_failed)])
    steps = math.floor((complete_until - first - WINDOW_SECONDS) / _STEP_SECONDS)
    if complete_until < since + _WATCHED_SECONDS:
        return None
    for begins in (first + step * _STEP_SECONDS for step in range(steps + 1)):
        if _is_usual([each for each in later if begins < each.due <= begins + WINDOW_SECONDS], usual):
            return begins - since
    return None


def _is_usual(window: Sequence[Asked], usual: float) -> bool:
    checks = [each.seconds for each in window if each.kind is Kind.CHECK]
    signed_in = any(each.kind is Kind.SIGN_IN and each.outcome is Outcome.RIGHT for each in window)
    return bool(checks) and signed_in and percentile(checks, 99) <= _TIMES * usual + _SLACK_SECONDS
