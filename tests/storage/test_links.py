"""One-time links, as every store keeps them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.login.accounts import Account
from service.login.links import LIFETIME, Purpose, is_usable
from service.storage.engine.database import Database
from tests.storage.stores import NOW, Stores, account, link, over


@pytest.fixture
def alice(stores: Stores) -> Account:
    """An account to invite."""
    stores.accounts.add(alice := account("alice"))
    return alice


@pytest.mark.parametrize("purpose", Purpose)
def test_a_link_comes_back_as_it_was_kept(stores: Stores, alice: Account, purpose: Purpose) -> None:
    """Every purpose, expired or not; looking uses nothing up."""
    kept = link(None if purpose == Purpose.SET_UP else alice.id, purpose=purpose, expires_at=NOW - 1)

    stores.links.put(kept)

    assert [kept, kept] == [stores.links.find(kept.token_hash) for _ in range(2)]


def test_a_new_link_takes_the_place_of_the_accounts_earlier_one(stores: Stores, alice: Account) -> None:
    """A reset link makes an invitation that lies in some mailbox worthless."""
    stores.links.put(old := link(alice.id))

    stores.links.put(new := link(alice.id, purpose=Purpose.RESET))

    assert stores.links.find(old.token_hash) is None
    assert new == stores.links.find(new.token_hash)


def test_there_is_one_set_up_link(stores: Stores, alice: Account) -> None:
    """A new one makes the earlier one void; links of accounts stay."""
    stores.links.put(old := link(None))
    stores.links.put(invitation := link(alice.id))

    stores.links.put(new := link(None))

    assert stores.links.find(old.token_hash) is None
    assert [new, invitation] == [stores.links.find(one.token_hash) for one in (new, invitation)]


def test_a_link_is_consumed_once(stores: Stores) -> None:
    """The second caller, and a caller with an unknown token, is told no."""
    stores.links.put(kept := link(None))

    assert [stores.links.consume(kept.token_hash) for _ in range(2)] == [True, False]
    assert stores.links.find(kept.token_hash) is None
    assert stores.links.consume(b"unknown") is False


def test_an_accounts_link_is_ended(stores: Stores, alice: Account) -> None:
    """Links of other accounts and the set-up link stay; the count is returned, 0 for an account without a link."""
    stores.accounts.add(bob := account("bob"))
    mine, bobs, set_up = link(alice.id), link(bob.id), link(None)
    for kept in (mine, bobs, set_up):
        stores.links.put(kept)

    ended = [stores.links.end_of_account(alice.id) for _ in range(2)]

    assert ended == [1, 0]
    assert [None, bobs, set_up] == [stores.links.find(one.token_hash) for one in (mine, bobs, set_up)]


def test_clean_up_deletes_expired_links_within_its_limit(stores: Stores) -> None:
    """What can still be used stays."""
    people = [account(f"person-{n}") for n in range(4)]
    for n, person in enumerate(people):
        stores.accounts.add(person)
        stores.links.put(link(person.id, expires_at=NOW + n - 2))

    deleted = [stores.links.delete_expired(now=NOW, limit=2) for _ in range(3)]

    assert deleted == [2, 1, 0]


def test_clean_up_deletes_what_the_rule_calls_unusable(stores: Stores) -> None:
    """SQL and `is_usable` agree to the second: expired, or made after now by a clock that was wrong."""
    kept = []
    for purpose in (Purpose.INVITATION, Purpose.RESET):
        for off in (0, 1, LIFETIME[purpose], LIFETIME[purpose] + 60, LIFETIME[purpose] + 61):
            stores.accounts.add(person := account(f"{purpose.value}-{off}"))
            kept.append(link(person.id, purpose=purpose, expires_at=NOW + off))
            stores.links.put(kept[-1])

    deleted = stores.links.delete_expired(now=NOW, limit=100)

    left = [one for one in kept if stores.links.find(one.token_hash)]
    assert left == [one for one in kept if is_usable(one, now=NOW)]
    assert (deleted, len(left)) == (4, 6)


def test_of_many_at_once_one_consumes(database: Database) -> None:
    """Eight callers of one link at the same time: exactly one is told yes."""
    links = over(database).links
    links.put(kept := link(None))

    with ThreadPoolExecutor(8) as callers:
        told = list(callers.map(lambda _: links.consume(kept.token_hash), range(8)))

    assert sorted(told) == [False] * 7 + [True]
