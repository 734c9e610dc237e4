"""What an operator does to an account, on each engine: in one transaction, or not at all."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from service.login.administration import Disabled, disable
from service.login.audit import Entry
from service.login.new_app_password import NewAppPassword, Reason, Wanted, make
from service.login.refusal import Refusal
from service.login.stores import Stores
from service.storage.audit import SqlAudit
from service.storage.engine.database import Database
from tests.rig.memory_store import MemoryLinks, Rows
from tests.storage.stores import NOW, account, app_password, link, over, session


class Lost(MemoryLinks):
    """Links in a database that no longer answers."""

    def __init__(self) -> None:
        super().__init__(Rows())

    def end_of_account(self, account_id: str) -> int:
        raise OSError(f"no answer about the links of {account_id}")


@pytest.fixture
def stores(database: Database) -> Stores:
    """Alice's account with two sessions, a link and an app password."""
    sql = over(database)
    sql.accounts.add(alice := account(groups=("staff",)))
    sql.sessions.add(session(alice.id))
    sql.sessions.add(session(alice.id))
    sql.links.put(link(alice.id))
    sql.app_passwords.add(app_password(alice.id))
    audit = SqlAudit(database, kept_seconds=1000)
    return Stores(sql.accounts, sql.sessions, sql.links, sql.app_passwords, audit, database.transaction)


def test_offboarding_ends_everything_and_counts_it(stores: Stores) -> None:
    """What it signed in with is gone, the account disabled, its device cookies invalid; one entry says so."""
    alice = stores.accounts.by_username("alice")
    assert alice

    ended = disable("alice", stores, by="operator", now=NOW, offboard=True)

    gone = replace(alice, disabled_at=NOW, device_cookies_after=NOW)
    assert ended == Disabled(gone, 2, 1, 1)
    assert stores.accounts.by_id(alice.id) == gone
    assert stores.sessions.of_account(alice.id) == []
    assert stores.app_passwords.of_account(alice.id) == []
    assert [*stores.audit.entries()] == [Entry(NOW, "user_updated", "alice", by="operator", detail="offboarded")]


def test_a_failure_at_the_end_undoes_all_of_it(stores: Stores) -> None:
    """When the last statement fails, the account, its sessions and the audit trail are as before."""
    alice = stores.accounts.by_username("alice")
    assert alice

    with pytest.raises(OSError, match="no answer"):
        disable("alice", replace(stores, links=Lost()), by="operator", now=NOW, offboard=True)

    assert stores.accounts.by_id(alice.id) == alice
    assert len(stores.sessions.of_account(alice.id)) == 2
    assert len(stores.app_passwords.of_account(alice.id)) == 1
    assert [*stores.audit.entries()] == []


def test_of_many_at_once_one_makes_the_app_password(stores: Stores) -> None:
    """The others are told that the name is taken: the account is locked while one is made."""
    wanted = Wanted("tablet", ("wiki",), None)

    def make_one(_number: int) -> object:
        return make("alice", wanted, stores, takers=("wiki",), by="operator", now=NOW)

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(make_one, range(16)))

    assert sum(isinstance(each, NewAppPassword) for each in outcomes) == 1
    assert outcomes.count(Refusal(Reason.NAME_TAKEN, "tablet")) == 15


def test_disabling_leaves_no_app_password_that_was_just_made(stores: Stores) -> None:
    """Whichever comes first: what was made before ends, and none is made after."""
    alice = stores.accounts.by_username("alice")
    assert alice

    def act(number: int) -> object:
        if number == 8:
            return disable("alice", stores, by="operator", now=NOW)
        return make("alice", Wanted(f"tablet {number}", ("wiki",), None), stores, takers=("wiki",), by="x", now=NOW)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(act, range(16)))

    assert stores.app_passwords.of_account(alice.id) == []
