"""Accounts, as every store keeps them."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from service.login.accounts import UsernameTaken
from service.storage.accounts import SqlAccounts
from service.storage.engine.database import Database
from tests.storage.stores import NOW, Stores, account, link, session

FULL = {
    "display_name": "Ålice Nguyễn 🦊",
    "email": "alice@example.org",
    "groups": ("admins", "staff"),
    "is_admin": True,
    "password_hash": "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA",
    "disabled_at": NOW,
}


@pytest.mark.parametrize("facts", [{}, FULL])
def test_an_account_comes_back_as_it_was_kept(stores: Stores, facts: dict[str, Any]) -> None:
    """What is added is found again by name and by id, every field the same."""
    alice = account(**facts)

    stores.accounts.add(alice)

    assert alice == stores.accounts.by_username("alice") == stores.accounts.by_id(alice.id)


def test_nobody_is_found_by_an_unknown_name(stores: Stores) -> None:
    """An unknown name or id is None, not an error."""
    stores.accounts.add(account("alice"))

    assert stores.accounts.by_username("bob") is None
    assert stores.accounts.by_id("bob") is None


@pytest.mark.parametrize("other", ["alic", "alice.", "al_ce", "al%", "a-lice", "alice@example.org"])
def test_names_that_look_alike_are_different_people(stores: Stores, other: str) -> None:
    """A look-up matches the whole canonical name, with no pattern, prefix or locale in it."""
    stores.accounts.add(account("alice"))

    assert stores.accounts.by_username(other) is None


def test_a_name_belongs_to_one_account(stores: Stores) -> None:
    """Adding a taken name raises UsernameTaken and changes nothing."""
    alice = account("alice", email="first@example.org")
    stores.accounts.add(alice)

    with pytest.raises(UsernameTaken):
        stores.accounts.add(account("alice", email="second@example.org", groups=("staff",)))

    assert [alice] == list(stores.accounts.all())


def test_a_taken_name_does_not_undo_the_transaction_around_it(stores: Stores) -> None:
    """A rule may catch UsernameTaken and go on; what it did before is kept."""
    alice, bob = account("alice"), account("bob")
    stores.accounts.add(alice)

    with stores.transaction():
        stores.accounts.add(bob)
        with pytest.raises(UsernameTaken):
            stores.accounts.add(account("alice"))

    assert [alice, bob] == list(stores.accounts.all())


def test_everybody_is_listed_by_name(stores: Stores) -> None:
    """The order is that of the bytes, in every locale of the database, and goes on over pages."""
    names = ["a", "a-b", "a.b", "a0", "a@b", "a_b", "ab", "z", *(f"many-{n:04}" for n in range(1100))]
    with stores.transaction():
        for name in names:
            stores.accounts.add(account(name))

    assert sorted(names) == [found.username for found in stores.accounts.all()]


def test_accounts_are_counted_by_state(stores: Stores) -> None:
    """Disabled comes before everything else; without a password an account is invited."""
    people: dict[str, dict[str, Any]] = {
        "active": {"password_hash": "x"},
        "invited": {},
        "shut": {"password_hash": "x", "disabled_at": NOW},
        "shut-early": {"disabled_at": NOW},
    }
    for name, facts in people.items():
        stores.accounts.add(account(name, **facts))

    assert stores.accounts.count() == {"active": 1, "disabled": 2, "invited": 1}


@pytest.mark.parametrize(
    ("facts", "expected"), [({"is_admin": True}, True), ({}, False), ({"is_admin": True, "disabled_at": NOW}, False)]
)
def test_whether_there_is_an_administrator(stores: Stores, facts: dict[str, Any], *, expected: bool) -> None:
    """A disabled account counts as none, nor does the account that is to be left out."""
    stores.accounts.add(account(**facts))
    without_bob = stores.accounts.has_administrator()

    stores.accounts.add(bob := account("bob", is_admin=True))

    assert expected == without_bob
    assert stores.accounts.has_administrator()
    assert expected == stores.accounts.has_administrator(besides=bob.id)


def test_replace_writes_what_an_operator_may_change(stores: Stores) -> None:
    """E-mail, display name, groups, flag, disabled time and the start of device cookies; not name and password."""
    alice = account(password_hash="kept", groups=("staff", "ops"))
    stores.accounts.add(alice)
    changed = replace(
        alice,
        email="new@example.org",
        display_name="New",
        groups=("admins", "staff"),
        is_admin=True,
        disabled_at=NOW,
        device_cookies_after=NOW,
    )

    stores.accounts.replace(replace(changed, password_hash="ignored"))

    assert changed == stores.accounts.by_id(alice.id)


def test_a_password_is_set_for_one_account(stores: Stores) -> None:
    """The new hash is the account's; no other account's changes."""
    alice, bob = account("alice", password_hash="old"), account("bob", password_hash="bob's")
    stores.accounts.add(alice)
    stores.accounts.add(bob)

    stores.accounts.set_password(alice.id, "new", now=NOW)

    assert [replace(alice, password_hash="new", password_changed_at=NOW), bob] == list(stores.accounts.all())


@pytest.mark.parametrize(
    ("now_kept", "expected", "wrote"), [("old", "rehashed", True), ("changed", "changed", False), (None, None, False)]
)
def test_a_rehash_never_undoes_a_change(
    stores: Stores, now_kept: str | None, expected: str | None, *, wrote: bool
) -> None:
    """A hash is only replaced by its successor when it is still the one that was checked; the caller is told."""
    alice = account(password_hash=now_kept)
    stores.accounts.add(alice)

    told = [stores.accounts.rehash_password(one, old="old", new="rehashed") for one in (alice.id, "nobody")]

    found = stores.accounts.by_id(alice.id)
    assert found
    assert (expected, [wrote, False]) == (found.password_hash, told)


def test_with_an_account_goes_all_that_is_its_own(stores: Stores) -> None:
    """Deleting an account deletes its groups, sessions and links, and none of other accounts."""
    alice, bob = account("alice", groups=("staff",)), account("bob", groups=("staff",))
    sessions = {person.id: session(person.id) for person in (alice, bob)}
    links = {person.id: link(person.id) for person in (alice, bob)}
    for person in (alice, bob):
        stores.accounts.add(person)
        stores.sessions.add(sessions[person.id])
        stores.links.put(links[person.id])

    stores.accounts.delete(alice.id)

    assert [bob] == list(stores.accounts.all())
    assert stores.sessions.find(sessions[alice.id].token_hash) is None
    assert stores.links.find(links[alice.id].token_hash) is None
    assert links[bob.id] == stores.links.find(links[bob.id].token_hash)
    assert [sessions[bob.id]] == stores.sessions.of_account(bob.id)


def test_a_name_is_free_again_after_deletion(stores: Stores) -> None:
    """A new account of the same name has nothing of the old one."""
    stores.accounts.add(old := account("alice", groups=("staff",)))
    stores.accounts.delete(old.id)

    stores.accounts.add(new := account("alice"))

    assert new == stores.accounts.by_username("alice")


def test_an_account_that_is_held_does_not_change_meanwhile(database: Database) -> None:
    """A sign-in that is being written sees the last password: a change of it waits, then finds the session."""
    accounts = SqlAccounts(database)
    alice = account(password_hash="old")
    accounts.add(alice)
    changing = threading.Thread(target=accounts.set_password, args=(alice.id, "new"), kwargs={"now": NOW})

    with database.transaction():
        held = accounts.lock_for_update(alice.id)
        changing.start()
        changing.join(0.2)
        waits = changing.is_alive()
    changing.join()

    assert (held, waits) == (alice, True)
    assert accounts.by_id(alice.id) == replace(alice, password_hash="new", password_changed_at=NOW)
