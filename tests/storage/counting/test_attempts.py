"""Attempts: one suite for every place in which they are kept."""

import pytest

from service.login.attempts import Attempt, Attempts, Limit, Scope, Tally, Throttled
from tests.storage.counting.windows import (
    ALICE,
    BOB,
    HERE,
    LIMITS,
    THERE,
    attempt_of,
    elsewhere,
    kept,
    let_through,
    reserve,
    reserved,
)
from tests.storage.stores import NOW


def test_a_window_slides(attempts: Attempts) -> None:
    """Each attempt is over when it is as old as the window is long, to the second, and not one before."""
    reserve(attempts, attempt_of(), 0, 20, 40)

    too_early, first, still_full, second = reserve(attempts, attempt_of(), 59, 60, 79, 80)

    assert too_early == Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW + 60)
    assert still_full == Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW + 80)
    assert let_through([first, second]) == 2


@pytest.mark.parametrize("scope", [Scope.ACCOUNT_FROM_NETWORK, Scope.NETWORK, Scope.ACCOUNT])
def test_every_limit_holds(attempts: Attempts, scope: Scope) -> None:
    """At one account from one network, from one network at many accounts, at one account from many networks."""

    def who(number: int) -> Attempt:
        account = f"{number:032x}" if scope is Scope.NETWORK else ALICE
        return attempt_of(account, elsewhere(number) if scope is Scope.ACCOUNT else HERE)

    verdicts = [verdict for number in range(12) for verdict in reserve(attempts, who(number), 3 * number)]

    many, seconds = LIMITS[scope].count, LIMITS[scope].seconds
    assert let_through(verdicts[:many]) == many
    assert verdicts[many:] == [Throttled(scope, NOW + seconds)] * (12 - many)


def test_of_several_limits_the_longest_says_until_when(attempts: Attempts) -> None:
    """A client that comes back then is not refused once more by another limit."""
    for number in range(4):
        reserve(attempts, attempt_of(network=elsewhere(number)), 0)
    reserve(attempts, attempt_of(), 10, 10, 10)

    assert reserve(attempts, attempt_of(), 13) == [Throttled(Scope.ACCOUNT, NOW + 120)]


def test_a_refusal_writes_nothing(attempts: Attempts) -> None:
    """However often an attempt is refused: no row, no count in another window, and the wait grows no longer."""
    reserve(attempts, attempt_of(), 0, 0, 0)
    before = kept(attempts), kept(attempts, Scope.NETWORK)

    refused = reserve(attempts, attempt_of(), *range(3, 55))

    assert set(refused) == {Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW + 60)}
    assert (kept(attempts), kept(attempts, Scope.NETWORK)) == before == ({ALICE: 3}, {HERE: 3})
    assert (
        let_through([*reserve(attempts, attempt_of(BOB), 55, 55), *reserve(attempts, attempt_of(network=THERE), 55)])
        == 3
    )


def test_a_limit_that_was_lowered_holds_at_once(attempts: Attempts) -> None:
    """What counts is what is allowed now."""
    reserve(attempts, attempt_of(), 0, 0)

    verdict = attempts.reserve(attempt_of(), LIMITS | {Scope.ACCOUNT: Limit(1, 120)}, now=NOW + 3)

    assert verdict == Throttled(Scope.ACCOUNT, NOW + 120)


def test_a_reservation_is_given_back_once_in_every_window(attempts: Attempts) -> None:
    """A right password counts nowhere; giving the same one back again gives nothing back."""
    first, *_ = (reserved(verdict) for verdict in reserve(attempts, attempt_of(), 0, 0, 0))
    for _ in range(3):
        attempts.release(first)

    verdicts = reserve(attempts, attempt_of(), 1, 1)

    assert let_through(verdicts) == 1
    assert (kept(attempts), kept(attempts, Scope.NETWORK)) == ({ALICE: 3}, {HERE: 3})


def test_right_passwords_without_end_are_never_throttled(attempts: Attempts) -> None:
    """Neither for an account, nor for the office behind one address."""
    for _ in range(30):
        attempts.release(reserved(*reserve(attempts, attempt_of(), 0)))

    assert (kept(attempts), kept(attempts, Scope.NETWORK)) == ({}, {})


def test_the_last_allowed_attempt_says_so(attempts: Attempts) -> None:
    """Of each limit that it uses up, so that this is told once and not with each refusal."""
    for number in range(4):
        reserve(attempts, attempt_of(network=elsewhere(number)), 0)
    reserve(attempts, attempt_of(BOB), 0, 0)

    said = [reserved(verdict).exhausted for verdict in reserve(attempts, attempt_of(), 0, 0, 0)]

    assert said[:2] == [(), ()]
    assert set(said[2]) == {Scope.ACCOUNT_FROM_NETWORK, Scope.NETWORK, Scope.ACCOUNT}


def test_a_known_device_has_an_allowance_of_its_own(attempts: Attempts) -> None:
    """An attack uses up nothing of it, another device's tries neither; and what it tries is counted for no other."""
    for number in range(7):
        reserve(attempts, attempt_of(network=elsewhere(number)), 0)

    own = reserve(attempts, attempt_of(device="d1"), 0, 0, 3)

    assert own[2] == Throttled(Scope.KNOWN_DEVICE, NOW + 60)
    assert reserved(own[1]).exhausted == (Scope.KNOWN_DEVICE,)
    assert let_through(reserve(attempts, attempt_of(network=THERE, device="d1"), 0)) == 0
    assert let_through(reserve(attempts, attempt_of(device="d2"), 0, 0)) == 2
    assert let_through(reserve(attempts, attempt_of(BOB, device="d1"), 0, 0)) == 2
    assert let_through(reserve(attempts, attempt_of(BOB), 0, 0, 0)) == 3
    assert reserve(attempts, attempt_of(network=THERE), 3) == [Throttled(Scope.ACCOUNT, NOW + 120)]


def test_a_known_device_gives_back_too(attempts: Attempts) -> None:
    """The owner may sign in and out all day."""
    for _ in range(9):
        attempts.release(reserved(*reserve(attempts, attempt_of(device="d1"), 0)))

    assert let_through(reserve(attempts, attempt_of(device="d1"), 0, 0, 0)) == 2


def test_names_that_nobody_has_are_counted_like_others(attempts: Attempts) -> None:
    """Throttling tells no names apart; a name that comes to exist meanwhile goes on being counted."""
    unknown = Attempt(ALICE, None, HERE)

    verdicts = [*reserve(attempts, unknown, 0, 0), *reserve(attempts, attempt_of(), 0), *reserve(attempts, unknown, 3)]

    assert verdicts[3] == Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW + 60)
    assert [reserved(verdict).exhausted for verdict in verdicts[:3]] == [(), (), (Scope.ACCOUNT_FROM_NETWORK,)]


@pytest.mark.parametrize(("back", "until"), [(3, 60), (59, 1), (60, None), (3600, None)])
def test_a_clock_set_back_lengthens_no_wait(attempts: Attempts, back: int, until: int | None) -> None:
    """A little: attempts still count. By more than a window: they were written by a clock that was wrong."""
    reserve(attempts, attempt_of(), 0, 0, 0)

    (verdict,) = reserve(attempts, attempt_of(), -back)

    assert isinstance(verdict, Throttled) == (until is not None)
    assert let_through([verdict]) or verdict == Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW - back + 60)


def test_tallies_say_who_tries(attempts: Attempts) -> None:
    """By network, and by account with its name when there is one; the most first, and since then only."""
    reserve(attempts, attempt_of(network=THERE), 0)
    reserve(attempts, attempt_of(), 1, 5, 7)
    reserve(attempts, attempt_of(BOB, THERE), 6)
    reserve(attempts, Attempt("c" * 32, None, HERE), 3)
    reserve(attempts, attempt_of(BOB, THERE, device="d"), 8, 9)

    by_network = list(attempts.tallies(by=Scope.NETWORK, since=NOW))
    by_account = list(attempts.tallies(by=Scope.ACCOUNT, since=NOW))

    assert by_network == [Tally(HERE, None, 4, NOW + 7), Tally(THERE, None, 3, NOW + 9)]
    assert by_account == [
        Tally(ALICE, "alice", 3, NOW + 7),
        Tally(BOB, "bob", 3, NOW + 9),
        Tally("c" * 32, None, 1, NOW + 3),
    ]
    assert list(attempts.tallies(by=Scope.NETWORK, since=NOW + 9)) == []


def test_an_account_keeps_its_name_whoever_tried_last(attempts: Attempts) -> None:
    """Also where tries from before it existed, in the same second, have none."""
    reserve(attempts, Attempt(ALICE, None, HERE), 0, 5)
    reserve(attempts, attempt_of(), 5)
    reserve(attempts, Attempt(ALICE, None, THERE), 5)

    assert [tally.name for tally in attempts.tallies(by=Scope.ACCOUNT, since=NOW - 1)] == ["alice"]


def test_what_any_window_holds_is_found(attempts: Attempts) -> None:
    """Also when a network is remembered for longer than an account is: what still counts is listed and forgotten."""
    limits = LIMITS | {Scope.ACCOUNT: Limit(7, 60), Scope.NETWORK: Limit(2, 900)}
    for moment in (0, 100):
        reserved(attempts.reserve(attempt_of(), limits, now=NOW + moment))

    assert kept(attempts, Scope.NETWORK) == {HERE: 2}
    assert attempts.clear(network=HERE) == 2
    reserved(attempts.reserve(attempt_of(), limits, now=NOW + 101))


def attacked(attempts: Attempts) -> None:
    """Use up what alice has from here, and let others try, too."""
    reserve(attempts, attempt_of(), 0, 0, 0)
    reserve(attempts, attempt_of(device="d"), 0, 0)
    reserve(attempts, attempt_of(BOB), 0, 0)
    reserve(attempts, attempt_of(network=THERE), 0)


def test_clearing_an_account_forgets_it_everywhere(attempts: Attempts) -> None:
    """In the windows of the networks that tried it, and of its known devices; other accounts stay as they are."""
    attacked(attempts)

    assert attempts.clear(account=ALICE) == 6

    assert (kept(attempts), kept(attempts, Scope.NETWORK)) == ({BOB: 2}, {HERE: 2})
    assert let_through(reserve(attempts, attempt_of(), 0, 0, 0, 0)) == 3
    assert let_through(reserve(attempts, attempt_of(device="d"), 0)) == 1
    assert attempts.clear(account="f" * 32) == 0


def test_clearing_a_network_forgets_it_everywhere(attempts: Attempts) -> None:
    """In the windows of the accounts that it tried, and its known devices' tries; other networks stay as they are."""
    attacked(attempts)
    reserve(attempts, attempt_of("c" * 32, "db8:0:7::/64"), 0)

    assert attempts.clear(network=HERE) == 7

    assert kept(attempts, Scope.NETWORK) == {THERE: 1, "db8:0:7::/64": 1}
    assert kept(attempts) == {ALICE: 1, "c" * 32: 1}
    assert let_through(reserve(attempts, attempt_of(), 0, 0, 0, 0)) == 3
    assert attempts.clear(network="db8:0:7::/64") == 1
    assert kept(attempts, Scope.NETWORK) == {HERE: 3, THERE: 1}


def test_clearing_all_forgets_all(attempts: Attempts) -> None:
    """An operator who mistyped a limit clears all attempts."""
    attacked(attempts)

    assert [attempts.clear(), attempts.clear()] == [8, 0]
    assert (kept(attempts), kept(attempts, Scope.NETWORK)) == ({}, {})
    assert let_through(reserve(attempts, attempt_of(), 0, 0, 0, 0)) == 3
