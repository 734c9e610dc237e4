"""What happens, minute by minute, and in which minute each alert fires: one case that promtool plays.

A case changes some series of a healthy installation. Values are promtool's: `0+6x30` grows by 6 a minute for half an
hour.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.observability.series import HEALTHY

CRITICAL: Final = "critical"
WARNING: Final = "warning"
WATCHDOG: Final = ("VestibuleWatchdog", WARNING)


@dataclass(frozen=True)
class Case:
    """What differs from a healthy installation; what fires, and in which minute; which alerts nearly did (`spares`)."""

    name: str
    series: Mapping[str, str] = field(default_factory=dict)
    fires: Mapping[tuple[str, str], int] = field(default_factory=dict)
    spares: frozenset[str] = frozenset()
    minutes: int = 40

    def all_series(self) -> dict[str, str]:
        """Return the values of every series."""
        return {name: values.format(minutes=self.minutes) for name, values in {**HEALTHY, **self.series}.items()}
