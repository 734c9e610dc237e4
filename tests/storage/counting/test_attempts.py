"""Attempts: one suite for every place in which they are kept."""

import pytest

from service.login.attempts import Attempts, Scope, Tally, Throttled, Try, Window
from tests.storage.counting.windows import (
    ALICE,
    BOB,
    HERE,
    LIMITS,
    THERE,
    elsewhere,
    kept,
    let_through,
    reserve,
    reserved,
    trying,
)
from tests.storage.stores import NOW


def test_a_window_slides(attempts: Attempts) -> None:
    """Each attempt is over when it is as old as the window is long, to the second, and not one before."""
    reserve(attempts, trying(), 0, 20, 40)

    too_early, first, still_full, second = reserve(attempts, trying(), 59, 60, 79, 80)

    assert too_early == Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW + 60)
    assert still_full == Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW + 80)
    assert let_through([first, second]) == 2


@pytest.mark.parametrize("scope", [Scope.ACCOUNT_FROM_NETWORK, Scope.NETWORK, Scope.ACCOUNT])
def test_every_limit_holds(attempts: Attempts, scope: Scope) -> None:
    """At one account from one network, from one network at many accounts, at one account from many networks."""

    def who(number: int) -> Try:
        account = f"{number:032x}" if scope is Scope.NETWORK else ALICE
        return trying(account, elsewhere(number) if scope is Scope.ACCOUNT else HERE)

    verdicts = [verdict for number in range(12) for verdict in reserve(attempts, who(number), 3 * number)]

    many, seconds = LIMITS[scope].failures, LIMITS[scope].seconds
    assert let_through(verdicts[:many]) == many
    assert verdicts[many:] == [Throttled(scope, NOW + seconds)] * (12 - many)


def test_of_several_limits_the_longest_says_until_when(attempts: Attempts) -> None:
    """Whoever comes back then is not sent away once more by another one."""
    for number in range(4):
        reserve(attempts, trying(network=elsewhere(number)), 0)
    reserve(attempts, trying(), 10, 10, 10)

    assert reserve(attempts, trying(), 13) == [Throttled(Scope.ACCOUNT, NOW + 120)]


def test_a_refusal_writes_nothing(attempts: Attempts) -> None:
    """However often somebody is refused: no row, no count in another window, and the wait grows no longer."""
    reserve(attempts, trying(), 0, 0, 0)
    before = kept(attempts), kept(attempts, Scope.NETWORK)

    refused = reserve(attempts, trying(), *range(3, 55))

    assert set(refused) == {Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW + 60)}
    assert (kept(attempts), kept(attempts, Scope.NETWORK)) == before == ({ALICE: 3}, {HERE: 3})
    assert let_through([*reserve(attempts, trying(BOB), 55, 55), *reserve(attempts, trying(network=THERE), 55)]) == 3


def test_a_limit_that_was_lowered_holds_at_once(attempts: Attempts) -> None:
    """What counts is what is allowed now."""
    reserve(attempts, trying(), 0, 0)

    verdict = attempts.reserve(trying(), LIMITS | {Scope.ACCOUNT: Window(1, 120)}, now=NOW + 3)

    assert verdict == Throttled(Scope.ACCOUNT, NOW + 120)


def test_a_reservation_is_given_back_once_in_every_window(attempts: Attempts) -> None:
    """A right password counts nowhere; giving the same one back again gives nothing back."""
    first, *_ = (reserved(verdict) for verdict in reserve(attempts, trying(), 0, 0, 0))
    for _ in range(3):
        attempts.release(first)

    verdicts = reserve(attempts, trying(), 1, 1)

    assert let_through(verdicts) == 1
    assert (kept(attempts), kept(attempts, Scope.NETWORK)) == ({ALICE: 3}, {HERE: 3})


@pytest.mark.parametrize("scope", [Scope.ACCOUNT_FROM_NETWORK, Scope.KNOWN_DEVICE])
def test_attempts_under_way_make_nobody_wait_for_a_window(attempts: Attempts, scope: Scope) -> None:
    """The limit holds, but what may be given back is waited for: a second, until all of it is older than two."""
    who = trying(device="d" if scope is Scope.KNOWN_DEVICE else None)
    many = LIMITS[scope].failures
    under_way = reserve(attempts, who, *[0] * many)

    refused = reserve(attempts, who, 0, 1, 2, 3)
    attempts.release(reserved(under_way[0]))

    assert refused == [Throttled(scope, NOW + until) for until in (1, 2, 3, 60)]
    assert let_through(reserve(attempts, who, 4, 4)) == 1


def test_an_attempt_that_is_not_given_back_counts(attempts: Attempts) -> None:
    """A recent attempt that fills a limit may be given back; two seconds later it counts, and the window with it."""
    reserve(attempts, trying(), 0, 0, 20)

    assert reserve(attempts, trying(), 21, 23) == [
        Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW + 22),
        Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW + 60),
    ]


def test_right_passwords_without_end_are_never_throttled(attempts: Attempts) -> None:
    """Neither for an account, nor for the office behind one address."""
    for _ in range(30):
        attempts.release(reserved(*reserve(attempts, trying(), 0)))

    assert (kept(attempts), kept(attempts, Scope.NETWORK)) == ({}, {})


def test_the_last_allowed_attempt_says_so(attempts: Attempts) -> None:
    """Of each limit that it uses up, so that this is told once and not with each refusal."""
    for number in range(4):
        reserve(attempts, trying(network=elsewhere(number)), 0)
    reserve(attempts, trying(BOB), 0, 0)

    said = [reserved(verdict).used_up for verdict in reserve(attempts, trying(), 0, 0, 0)]

    assert said[:2] == [(), ()]
    assert set(said[2]) == {Scope.ACCOUNT_FROM_NETWORK, Scope.NETWORK, Scope.ACCOUNT}


def test_a_known_device_has_an_allowance_of_its_own(attempts: Attempts) -> None:
    """An attack uses up nothing of it, another device's tries neither; and what it tries is counted for no other."""
    for number in range(7):
        reserve(attempts, trying(network=elsewhere(number)), 0)

    own = reserve(attempts, trying(device="d1"), 0, 0, 3)

    assert own[2] == Throttled(Scope.KNOWN_DEVICE, NOW + 60)
    assert reserved(own[1]).used_up == (Scope.KNOWN_DEVICE,)
    assert let_through(reserve(attempts, trying(network=THERE, device="d1"), 0)) == 0
    assert let_through(reserve(attempts, trying(device="d2"), 0, 0)) == 2
    assert let_through(reserve(attempts, trying(BOB, device="d1"), 0, 0)) == 2
    assert let_through(reserve(attempts, trying(BOB), 0, 0, 0)) == 3
    assert reserve(attempts, trying(network=THERE), 3) == [Throttled(Scope.ACCOUNT, NOW + 120)]


def test_a_known_device_gives_back_too(attempts: Attempts) -> None:
    """The owner may sign in and out all day."""
    for _ in range(9):
        attempts.release(reserved(*reserve(attempts, trying(device="d1"), 0)))

    assert let_through(reserve(attempts, trying(device="d1"), 0, 0, 0)) == 2


def test_names_that_nobody_has_are_counted_like_others(attempts: Attempts) -> None:
    """Throttling tells no names apart; a name that comes to exist meanwhile goes on being counted."""
    unknown = Try(ALICE, None, HERE)

    verdicts = [*reserve(attempts, unknown, 0, 0), *reserve(attempts, trying(), 0), *reserve(attempts, unknown, 3)]

    assert verdicts[3] == Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW + 60)
    assert [reserved(verdict).used_up for verdict in verdicts[:3]] == [(), (), (Scope.ACCOUNT_FROM_NETWORK,)]


@pytest.mark.parametrize(("back", "until"), [(3, 60), (59, 1), (60, None), (3600, None)])
def test_a_clock_set_back_lengthens_no_wait(attempts: Attempts, back: int, until: int | None) -> None:
    """A little: attempts still count. By more than a window: they were written by a clock that was wrong."""
    reserve(attempts, trying(), 0, 0, 0)

    (verdict,) = reserve(attempts, trying(), -back)

    assert isinstance(verdict, Throttled) == (until is not None)
    assert let_through([verdict]) or verdict == Throttled(Scope.ACCOUNT_FROM_NETWORK, NOW - back + 60)


def test_tallies_say_who_tries(attempts: Attempts) -> None:
    """By network, and by account with its name when there is one; the most first, and since then only."""
    reserve(attempts, trying(network=THERE), 0)
    reserve(attempts, trying(), 1, 5, 7)
    reserve(attempts, trying(BOB, THERE), 6)
    reserve(attempts, Try("c" * 32, None, HERE), 3)
    reserve(attempts, trying(BOB, THERE, device="d"), 8, 9)

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
    reserve(attempts, Try(ALICE, None, HERE), 0, 5)
    reserve(attempts, trying(), 5)
    reserve(attempts, Try(ALICE, None, THERE), 5)

    assert [tally.name for tally in attempts.tallies(by=Scope.ACCOUNT, since=NOW - 1)] == ["alice"]


def test_what_any_window_holds_is_found(attempts: Attempts) -> None:
    """Also when a network is remembered for longer than an account is: what still counts is listed and forgotten."""
    limits = LIMITS | {Scope.ACCOUNT: Window(7, 60), Scope.NETWORK: Window(2, 900)}
    for moment in (0, 100):
        reserved(attempts.reserve(trying(), limits, now=NOW + moment))

    assert kept(attempts, Scope.NETWORK) == {HERE: 2}
    assert attempts.clear(network=HERE) == 2
    reserved(attempts.reserve(trying(), limits, now=NOW + 101))


def attacked(attempts: Attempts) -> None:
    """Use up what alice has from here, and let others try, too."""
    reserve(attempts, trying(), 0, 0, 0)
    reserve(attempts, trying(device="d"), 0, 0)
    reserve(attempts, trying(BOB), 0, 0)
    reserve(attempts, trying(network=THERE), 0)


def test_clearing_an_account_forgets_it_everywhere(attempts: Attempts) -> None:
    """In the windows of the networks that tried it, and of its known devices; other accounts stay as they are."""
    attacked(attempts)

    assert attempts.clear(account=ALICE) == 6

    assert (kept(attempts), kept(attempts, Scope.NETWORK)) == ({BOB: 2}, {HERE: 2})
    assert let_through(reserve(attempts, trying(), 0, 0, 0, 0)) == 3
    assert let_through(reserve(attempts, trying(device="d"), 0)) == 1
    assert attempts.clear(account="f" * 32) == 0


def test_clearing_a_network_forgets_it_everywhere(attempts: Attempts) -> None:
    """In the windows of the accounts that it tried, and its known devices' tries; other networks stay as they are."""
    attacked(attempts)
    reserve(attempts, trying("c" * 32, "db8:0:7::/64"), 0)

    assert attempts.clear(network=HERE) == 7

    assert kept(attempts, Scope.NETWORK) == {THERE: 1, "db8:0:7::/64": 1}
    assert kept(attempts) == {ALICE: 1, "c" * 32: 1}
    assert let_through(reserve(attempts, trying(), 0, 0, 0, 0)) == 3
    assert attempts.clear(network="db8:0:7::/64") == 1
    assert kept(attempts, Scope.NETWORK) == {HERE: 3, THERE: 1}


def test_clearing_all_forgets_all(attempts: Attempts) -> None:
    """An operator who mistyped a limit lets everybody try again."""
    attacked(attempts)

    assert [attempts.clear(), attempts.clear()] == [8, 0]
    assert (kept(attempts), kept(attempts, Scope.NETWORK)) == ({}, {})
    assert let_through(reserve(attempts, trying(), 0, 0, 0, 0)) == 3
