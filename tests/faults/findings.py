"""What an experiment found: its criteria, each with what was found, and the time until the service was back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.faults.busy import busy_times

_SHOWN: Final = 3


@dataclass(frozen=True)
class Criterion:
    """One thing that must hold, and the worst that was found."""

    what: str
    found: str
    holds: bool
    badness: float = 0.0


@dataclass
class Findings:
    """The criteria of one experiment, as they are tried. What is tried several times counts as the worst of them.

    A bound in seconds is stated for a machine that does nothing else. Where other programs take processors, it is as
    many times longer as these slow a program down, measured just then.
    """

    known: dict[str, Criterion] = field(default_factory=dict)
    back_after: float | None = None
    beside: list[str] = field(default_factory=list)
    busy: float = 1.0
    skipped: str = ""

    @property
    def criteria(self) -> list[Criterion]:
        """Return them in the order in which they were tried."""
        return list(self.known.values())

    @property
    def holds(self) -> bool:
        """Whether all of them do."""
        return bool(self.skipped) or all(each.holds for each in self.criteria)

    def check(self, what: str, found: object, holds: object, *, badness: float = 0.0) -> None:
        """Note whether something holds."""
        new, before = Criterion(what, str(found), bool(holds), badness), self.known.get(what)
        if before is None or (not new.holds, new.badness) > (not before.holds, before.badness):
            self.known[what] = new

    def at_most(self, what: str, found: float, bound: float, unit: str = "") -> None:
        """Note a figure that has a bound."""
        self.check(f"{what}: at most {bound:g}{unit}", f"{found:.3g}{unit}", found <= bound, badness=found)

    def none(self, what: str, found: Sequence[object]) -> None:
        """Note what must not be there."""
        shown = "; ".join(map(str, found[:_SHOWN]))
        self.check(f"no {what}", f"{len(found)}: {shown}" if found else "0", not found, badness=len(found))

    def within(self, what: str, seconds: float, bound: float) -> None:
        """Note a time that is bounded."""
        self.busy = max(self.busy, now := busy_times())
        slower = f" (on a machine {now:.1f} times slower)" if now > 1 else ""
        self.check(
            f"{what}: within {bound:g} s", f"{seconds:.2f} s{slower}", seconds <= bound * now, badness=seconds / now
        )

    def back(self, seconds: float, bound: float) -> None:
        """Note how long it took until the traffic was as before; the longest, where an experiment breaks it often."""
        self.back_after = max(seconds, self.back_after or 0.0)
        self.within("traffic as before", seconds, bound)
