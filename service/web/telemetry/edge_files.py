"""Whether nginx asks by files that are older, or newer, than the apps in force."""

from typing import Final

from prometheus_client import CollectorRegistry, Gauge

NOTE_EVERY_SECONDS: Final = 1.0


class EdgeFiles:
    """The gauge: of all live workers, the one that nginx asked last has its say. Safe for threads."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gauge = Gauge(
            "vestibule_door_edge_outdated",
            "Whether nginx last asked by files that were not made from the apps in force.",
            multiprocess_mode="livemostrecent",
            registry=registry,
        )
        self._last, self._due = False, 0.0

    def note(self, *, outdated: bool, moment: float) -> None:
        """Note what a check of nginx's says, at a moment of a clock that never goes back; at most once a second."""
        if outdated is not self._last or moment >= self._due:
            self._gauge.set(outdated)
            self._last, self._due = outdated, moment + NOTE_EVERY_SECONDS
