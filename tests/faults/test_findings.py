"""What counts as found."""

import pytest

from tests.faults import findings
from tests.faults.findings import Findings


def test_the_worst_of_several_times_counts() -> None:
    """A criterion that is tried again keeps its worst figure, and a failure stays one."""
    found = Findings()
    for value in (1, 3, 2):
        found.at_most("requests", value, 2)

    assert [(each.found, each.holds) for each in found.criteria] == [("3", False)]
    assert not found.holds


def test_a_busy_machine_has_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound in seconds is as many times longer as the machine is slower; the figure says so."""
    found = Findings()
    monkeypatch.setattr(findings, "busy_times", lambda: 3.0)

    found.within("back", 8.0, 3)
    slow = found.holds
    found.within("back", 10.0, 3)

    assert (slow, found.holds, found.busy) == (True, False, 3.0)
    assert "3.0 times slower" in found.criteria[0].found


def test_what_cannot_be_tried_here_does_not_fail() -> None:
    """An experiment without its part says why, and holds."""
    assert Findings(skipped="haproxy is not installed").holds
