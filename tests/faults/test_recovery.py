"""When the traffic counts as recovered."""

from tests.faults.recovery import Asked, Kind, Outcome, recovered_after, usual_seconds

USUAL = 0.01


def asked(due: float, *, seconds: float = USUAL, kind: Kind = Kind.CHECK, outcome: Outcome = Outcome.RIGHT) -> Asked:
    """Return one request."""
    return Asked(due, seconds, kind, outcome, 200)


def traffic(*changed: Asked, until: float = 10.0) -> list[Asked]:
    """Return ten checks and two sign-ins a second, of which some were changed."""
    usual = [asked(number / 10) for number in range(int(until * 10))]
    sign_ins = [asked(number / 2 + 0.05, kind=Kind.SIGN_IN) for number in range(int(until * 2))]
    return sorted([*usual, *sign_ins, *changed], key=lambda each: each.due)


def recovered(*changed: Asked) -> float | None:
    """Return how long after second 2 it is as before."""
    after = recovered_after(traffic(*changed), since=2.0, complete_until=10.0, usual=USUAL)
    return None if after is None else round(after, 3)


def test_traffic_that_was_not_disturbed_needs_no_time() -> None:
    """Without a failure the first second counts."""
    assert recovered() == 0


def test_a_failure_counts_until_the_second_behind_it() -> None:
    """The second in which all is right begins behind the last failure, also where that came late."""
    assert recovered(asked(3.55, outcome=Outcome.FAILED)) == 1.55


def test_a_stall_is_no_recovery() -> None:
    """A check that was answered rightly, but late, counts as disturbed traffic."""
    assert recovered(asked(2.55, seconds=1.0)) == 0.6


def test_a_check_that_is_told_to_come_back_has_failed_and_a_sign_in_has_not() -> None:
    """A session check must be answered; a sign-in may be shed."""
    assert recovered(asked(3.55, outcome=Outcome.LATER)) == 1.55
    assert recovered(asked(3.55, outcome=Outcome.LATER, kind=Kind.SIGN_IN)) == 0


def test_without_a_sign_in_nothing_has_recovered() -> None:
    """A second in which no sign-in succeeds is not as before."""
    checks = [each for each in traffic() if each.kind is Kind.CHECK]

    assert recovered_after(checks, since=2.0, complete_until=10.0, usual=USUAL) is None


def test_what_is_not_answered_yet_decides_nothing() -> None:
    """A second with a request under way is not looked at."""
    assert recovered_after(traffic(), since=9.5, complete_until=10.0, usual=USUAL) is None


def test_what_is_usual_is_measured_before_the_fault() -> None:
    """The 99th percentile of the checks that were due before a moment."""
    assert usual_seconds(traffic(asked(1.0, seconds=0.5), asked(5.0, seconds=3.0)), until=2.0) == 0.5
