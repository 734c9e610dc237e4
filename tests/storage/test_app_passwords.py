"""App passwords, as every store keeps them."""

from pathlib import Path

import pytest

from service.login.accounts import Account
from service.login.app_passwords import Owned
from service.services import Unavailable
from service.storage.app_passwords import SqlAppPasswords
from service.storage.engine.database import Database
from tests.storage.stores import NOW, Stores, account, app_password


@pytest.fixture
def alice(stores: Stores) -> Account:
    """An account that is in a group."""
    stores.accounts.add(alice := account("alice", groups=("ops", "staff")))
    return alice


def test_an_app_password_comes_back_as_it_was_kept(stores: Stores, alice: Account) -> None:
    """With its account and groups, in one read; with and without an end; another hash finds nothing."""
    stores.app_passwords.add(endless := app_password(alice.id))
    stores.app_passwords.add(short := app_password(alice.id, apps=("files", "wiki"), ends_at=NOW + 9, name="Jürgens ☎"))

    assert stores.app_passwords.find(endless.token_hash) == Owned(endless, alice)
    assert stores.app_passwords.find(short.token_hash) == Owned(short, alice)
    assert stores.app_passwords.find(b"x" * 32) is None


def test_those_of_an_account_are_listed_newest_first(stores: Stores, alice: Account) -> None:
    """Only that account's."""
    stores.accounts.add(bob := account("bob"))
    kept = [app_password(alice.id, created_at=NOW + second) for second in (2, 0, 1)]
    for each in (*kept, app_password(bob.id)):
        stores.app_passwords.add(each)

    assert stores.app_passwords.of_account(alice.id) == [kept[0], kept[2], kept[1]]
    assert stores.app_passwords.of_account("nobody") == []


def test_the_last_use_is_written_at_most_once_a_minute(stores: Stores, alice: Account) -> None:
    """Of many requests at once only one writes; an ended app password does not come back."""
    stores.app_passwords.add(phone := app_password(alice.id))
    seen = []
    for moment in (0, 59, 60, 30):
        stores.app_passwords.touch(phone.token_hash, now=NOW + moment)
        seen += [each.seen_at for each in stores.app_passwords.of_account(alice.id)]
    stores.app_passwords.end(alice.id, phone.id)
    stores.app_passwords.touch(phone.token_hash, now=NOW + 1000)

    assert seen == [NOW, NOW, NOW + 60, NOW + 60]
    assert stores.app_passwords.find(phone.token_hash) is None


def test_ending_one_leaves_the_others(stores: Stores, alice: Account) -> None:
    """It ends once, and only for the account that has it."""
    stores.app_passwords.add(phone := app_password(alice.id))
    stores.app_passwords.add(laptop := app_password(alice.id))

    ended = [stores.app_passwords.end(of, phone.id) for of in ("nobody", alice.id, alice.id)]

    assert ended == [False, True, False]
    assert stores.app_passwords.of_account(alice.id) == [laptop]


def test_all_of_an_account_end_at_once(stores: Stores, alice: Account) -> None:
    """Their number is returned; another account keeps its own."""
    stores.accounts.add(bob := account("bob"))
    for of in (alice, alice, bob):
        stores.app_passwords.add(app_password(of.id))

    assert [stores.app_passwords.end_of_account(alice.id) for _ in range(2)] == [2, 0]
    assert len(stores.app_passwords.of_account(bob.id)) == 1


def test_they_go_with_their_account(stores: Stores, alice: Account) -> None:
    """Deleting the account deletes them, so none opens an account that gets the same name later."""
    stores.app_passwords.add(phone := app_password(alice.id))

    stores.accounts.delete(alice.id)

    assert stores.app_passwords.find(phone.token_hash) is None


def test_a_transaction_that_fails_adds_none(stores: Stores, alice: Account) -> None:
    """It is stored together with its entry in the trail, or not at all."""
    phone = app_password(alice.id)

    def add_and_fail() -> None:
        with stores.transaction():
            stores.app_passwords.add(phone)
            raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        add_and_fail()
    assert stores.app_passwords.find(phone.token_hash) is None


def test_a_use_that_cannot_be_written_is_lost(tmp_path: Path) -> None:
    """An app password can be used while the disk is full; a look-up that fails is a malfunction."""
    store = SqlAppPasswords(Database(f"sqlite:///{tmp_path}/nowhere/vestibule.sqlite3"))

    store.touch(b"x" * 32, now=NOW)

    with pytest.raises(Unavailable):
        store.find(b"x" * 32)
