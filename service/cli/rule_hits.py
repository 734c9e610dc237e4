"""Which rules decided, and which ones would: the counts of the door's checks, as one service shows them in /metrics."""

import http.client
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from service.access.apps import App
from service.access.rules import Rule
from service.cli.apps_in_words import described
from service.services import Unavailable

PATIENCE_SECONDS: Final = 10
_NAME: Final = "vestibule_door_checks"
_PASS: Final = {"allowed", "preflight"}  # outcomes
_UNUSED: Final = {True: "  <- never used", False: "  <- would change nothing"}


@dataclass(frozen=True, slots=True)
class Hits:
    """How many checks a rule decided, by outcome; one that only reports: how many it would have decided otherwise.

    Without a rule: checks for which there was none, and those that were decided before any rule. `enforced` is False
    for those for which there would be none.
    """

    app: str
    rule: Rule | None
    enforced: bool
    outcomes: Counter[str]

    @property
    def refused(self) -> int:
        """How many of them were refused, or would have been."""
        return sum(count for outcome, count in self.outcomes.items() if outcome not in _PASS)

    def line(self) -> str:
        total, number = self.outcomes.total(), self.rule.number if self.rule else "-"
        return f"{self.app or '-':<16} {number:>4} {total:>9} {self.refused:>9}  {self._words()}"

    def _words(self) -> str:
        if self.rule:
            return described(self.rule) + ("" if self.outcomes else _UNUSED[self.enforced])
        said = ", ".join(f"{outcome} {count}" for outcome, count in sorted(self.outcomes.items()))
        return f"no rule{'' if self.enforced else ', if those that only report were in force'}: {said}"

    def facts(self) -> dict[str, Any]:
        known = {"app": self.app, "rule": self.rule and self.rule.number, "enforced": self.enforced}
        return known | {"hits": self.outcomes.total(), "refused": self.refused, "outcomes": dict(self.outcomes)}


HEAD: Final = f"{'app':<16} {'rule':>4} {'hits':>9} {'refused':>9}"


def scraped(url: str) -> str:
    """Return what /metrics says. Raises Unavailable."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - the option takes http(s) alone
            text: str = answer.read().decode()
    except (OSError, http.client.HTTPException, UnicodeDecodeError) as fault:
        reason = fault.reason if isinstance(fault, urllib.error.URLError) else fault
        raise Unavailable(f"{url} does not answer ({reason}); another address: --metrics URL") from None
    return text


def hits(apps: Sequence[App], exposed: str) -> Iterator[Hits]:
    """Yield the hits of each rule of these apps, in order, and of no rule where there are any. Raises ValueError."""
    counted = _counted(exposed)
    for app in apps:
        for rule in app.rules:
            outcomes = counted.get((app.name, str(rule.number), not rule.report_only), Counter())
            yield Hits(app.name, rule, not rule.report_only, outcomes)
    for name, enforced in [*((app.name, each) for app in apps for each in (True, False)), ("", True)]:
        if found := counted.get((name, "", enforced)):
            yield Hits(name, None, enforced, found)


def _counted(exposed: str) -> dict[tuple[str, str, bool], Counter[str]]:
    """Return the counts by app, rule and whether they hold, each by outcome."""
    found: dict[tuple[str, str, bool], Counter[str]] = {}
    for family in text_string_to_metric_families(exposed):
        for sample in family.samples if family.name == _NAME else ():
            labels = sample.labels
            key = labels["app"], labels["rule"], labels["enforced"] == "true"
            found.setdefault(key, Counter())[labels["outcome"]] += int(sample.value)
    return found
