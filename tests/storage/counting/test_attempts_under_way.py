"""Attempts that may be given back, because their passwords are being checked: one suite for every store."""

import pytest

from service.login.attempts import Attempts, Scope, Throttled
from tests.storage.counting.windows import LIMITS, attempt_of, let_through, reserve, reserved
from tests.storage.stores import NOW


@pytest.mark.parametrize("scope", [Scope.ACCOUNT_FROM_NETWORK, Scope.KNOWN_DEVICE])
def test_attempts_under_way_make_nobody_wait_for_a_window(attempts: Attempts, scope: Scope) -> None:
    """The limit holds, but what may be given back is waited for: a second, until all of it is older than two."""
    who = attempt_of(device="d" if scope is Scope.KNOWN_DEVICE else None)
    many = LIMITS[scope].count
    under_way = reserve(attempts, who, *[0] * many)

    refused = reserve(attempts, who, 0, 1, 2, 3)
    attempts.release(reserved(under_way[0]))

    assert refused == [Throttled(scope, NOW + until) for until in (1, 2, 3, 60)]
    assert let_through(reserve(attempts, who, 4, 4)) == 1


def test_an_attempt_that_is_not_given_back_counts(attempts: Attempts) -> None:
    """A recent attempt that fills a limit may be given back; two seconds later it counts, and the window with it."""
    reserve(attempts, attempt_of(), 0, 0, 20)

    assert reserve(attempts, attempt_of(), 21, 23) == [
        Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW + 22),
        Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW + 60),
    ]
