"""How many networks have used up their limit, in every place in which attempts are kept."""

from service.login.attempts import Attempts, Scope
from tests.storage.counting.windows import ALICE, BOB, LIMITS, attempt_of, elsewhere, reserve, reserved
from tests.storage.stores import NOW


def test_networks_that_have_used_up_their_limit_are_counted(attempts: Attempts) -> None:
    """From the attempt that reaches the limit until it lets one more through; known devices' attempts are none."""
    for number in range(3):
        for account in (ALICE, BOB):
            reserve(attempts, attempt_of(account, elsewhere(number)), 0, 1)
    reserve(attempts, attempt_of(ALICE, elsewhere(2), device="d1"), 2, 2)
    limit = LIMITS[Scope.NETWORK]

    def throttled(moment: int) -> int:
        return attempts.throttled_networks(limit, now=NOW + moment)

    before = throttled(2)
    last = reserved(*reserve(attempts, attempt_of("c" * 32, elsewhere(0)), 2))
    reserve(attempts, attempt_of("c" * 32, elsewhere(1)), 2)
    during = [throttled(moment) for moment in (2, limit.seconds - 1, limit.seconds)]
    attempts.release(last)

    assert (before, during, throttled(2)) == (0, [2, 2, 0], 1)
