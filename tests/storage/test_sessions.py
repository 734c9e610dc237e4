"""Sessions, as every store keeps them."""

from dataclasses import replace
from pathlib import Path

import pytest

from service.login.accounts import Account
from service.login.sessions import Session, SignedIn, is_live
from service.services import Unavailable
from service.storage.engine.database import Database
from service.storage.sessions import SqlSessions
from tests.storage.stores import LIFETIMES, NOW, Stores, account, session


@pytest.fixture
def alice(stores: Stores) -> Account:
    """An account to sign in to."""
    alice = account("alice", groups=("admins", "staff"), password_hash="x")
    stores.accounts.add(alice)
    return alice


@pytest.mark.parametrize("remembered", [False, True])
def test_a_session_comes_back_with_its_account(stores: Stores, alice: Account, *, remembered: bool) -> None:
    """One look-up by the token's hash returns both, every field the same."""
    kept = session(alice.id, remembered=remembered, address="2001:db8::1", user_agent="Mozilla/5.0 (Ünïcode)")

    stores.sessions.add(kept)

    assert SignedIn(kept, alice) == stores.sessions.find(kept.token_hash)


def test_an_unknown_token_finds_nothing(stores: Stores, alice: Account) -> None:
    """Only the whole hash matches."""
    kept = session(alice.id)
    stores.sessions.add(kept)

    assert stores.sessions.find(kept.token_hash[:-1]) is None
    assert stores.sessions.find(b"") is None


def test_an_accounts_sessions_are_listed_newest_first(stores: Stores, alice: Account) -> None:
    """The person's own list, without those of other accounts."""
    stores.accounts.add(bob := account("bob"))
    kept = [session(alice.id, created_at=NOW + age) for age in (2, 3, 1)]
    for one in [*kept, session(bob.id)]:
        stores.sessions.add(one)

    assert [one.created_at - NOW for one in stores.sessions.of_account(alice.id)] == [3, 2, 1]


def test_all_sessions_are_listed_newest_first(stores: Stores, alice: Account) -> None:
    """Every session once, both kinds, with its account, over more than one page and with equal times."""
    kept = [session(alice.id, created_at=NOW + n // 3, remembered=n % 2 == 0) for n in range(1300)]
    with stores.transaction():
        for one in kept:
            stores.sessions.add(one)

    listed = list(stores.sessions.all())

    assert {SignedIn(one, alice) for one in kept} == set(listed)
    assert len(kept) == len(listed)
    assert sorted((one.created_at for one in kept), reverse=True) == [found.session.created_at for found in listed]


def test_touch_writes_the_time_of_last_use(stores: Stores, alice: Account) -> None:
    """And nothing else."""
    stores.sessions.add(kept := session(alice.id))

    stores.sessions.touch(kept.token_hash, now=NOW + 60)

    assert [replace(kept, seen_at=NOW + 60)] == stores.sessions.of_account(alice.id)


def test_touch_does_not_bring_a_session_back(stores: Stores, alice: Account) -> None:
    """A session that was ended meanwhile stays ended."""
    stores.sessions.add(kept := session(alice.id))
    stores.sessions.end(kept.token_hash)

    stores.sessions.touch(kept.token_hash, now=NOW + 60)

    assert stores.sessions.find(kept.token_hash) is None


def test_a_use_that_cannot_be_written_is_lost(tmp_path: Path) -> None:
    """A session can be used while the disk is full; a look-up that fails is a malfunction."""
    store = SqlSessions(Database(f"sqlite:///{tmp_path}/nowhere/vestibule.sqlite3"))

    store.touch(b"x" * 32, now=NOW)

    with pytest.raises(Unavailable):
        store.find(b"x" * 32)


def test_end_says_whether_there_was_a_session(stores: Stores, alice: Account) -> None:
    """The first call ends it, the second finds nothing to end."""
    stores.sessions.add(kept := session(alice.id))

    assert [stores.sessions.end(kept.token_hash) for _ in range(2)] == [True, False]
    assert stores.sessions.find(kept.token_hash) is None


def test_a_session_is_ended_by_its_public_id(stores: Stores, alice: Account) -> None:
    """The id that is shown and logged is enough for an operator."""
    stores.sessions.add(kept := session(alice.id))
    stores.sessions.add(other := session(alice.id))

    assert [stores.sessions.end_by_id(kept.id) for _ in range(2)] == [True, False]
    assert [other] == stores.sessions.of_account(alice.id)


def test_an_accounts_sessions_end_together(stores: Stores, alice: Account) -> None:
    """All of an account, and of no other account; the count is returned."""
    stores.accounts.add(bob := account("bob"))
    mine = [session(alice.id) for _ in range(3)]
    for one in [*mine, session(bob.id)]:
        stores.sessions.add(one)

    ended = [stores.sessions.end_of_account(alice.id) for _ in range(2)]

    assert ended == [3, 0]
    assert stores.sessions.of_account(alice.id) == []
    assert len(stores.sessions.of_account(bob.id)) == 1


def test_all_sessions_end(stores: Stores, alice: Account) -> None:
    """After a leak all sessions end; the count is returned."""
    for _ in range(7):
        stores.sessions.add(session(alice.id))

    assert [stores.sessions.end_all() for _ in range(2)] == [7, 0]
    assert list(stores.sessions.all()) == []


def _at_every_edge(account_id: str) -> list[Session]:
    """Return sessions of both kinds one second before, at, and after each of their limits, and some ahead of now."""
    return [
        session(account_id, created_at=NOW - age, seen_at=NOW - unused, remembered=remembered)
        for remembered in (False, True)
        for idle, absolute in [LIFETIMES.of(remembered=remembered)]
        for age, unused in [
            *((idle + off, idle + off) for off in (-1, 0, 1)),
            *((absolute + off, 0) for off in (-1, 0, 1)),
            *((-ahead, -ahead) for ahead in (0, 60, 61)),
            (10, -61),
        ]
    ]


def test_the_store_counts_what_the_rule_calls_live(stores: Stores, alice: Account) -> None:
    """SQL and `is_live` agree to the second, for both kinds and both limits, and for times after now."""
    kept = _at_every_edge(alice.id)
    for one in kept:
        stores.sessions.add(one)

    expected = sum(is_live(one, LIFETIMES, now=NOW) for one in kept)
    assert expected == stores.sessions.count_live(LIFETIMES, now=NOW)


def test_clean_up_deletes_what_is_over_and_nothing_else(stores: Stores, alice: Account) -> None:
    """After a clean-up exactly the sessions that the rule calls live are left."""
    kept = _at_every_edge(alice.id)
    for one in kept:
        stores.sessions.add(one)

    deleted = stores.sessions.delete_expired(LIFETIMES, now=NOW, limit=100)

    live = {one for one in kept if is_live(one, LIFETIMES, now=NOW)}
    assert live == set(stores.sessions.of_account(alice.id))
    assert len(kept) - len(live) == deleted


def test_clean_up_keeps_to_its_limit(stores: Stores, alice: Account) -> None:
    """Small batches, until nothing is left to do."""
    for _ in range(5):
        stores.sessions.add(session(alice.id, created_at=0, seen_at=0))

    deleted = [stores.sessions.delete_expired(LIFETIMES, now=NOW, limit=2) for _ in range(4)]

    assert deleted == [2, 2, 1, 0]
