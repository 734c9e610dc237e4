"""Transactions, threads and failures, on each engine."""

import logging
import secrets
import threading

import pytest
import sqlalchemy as sa

from service.services import Unavailable
from service.storage.engine.database import Database
from service.storage.engine.statement import Statement
from tests.storage.stores import Stores, account, link, over, session


@pytest.fixture
def sql(database: Database) -> Stores:
    """The stores over the database."""
    return over(database)


class PowerCutError(Exception):
    """Something that goes wrong in a rule."""


def test_a_transaction_keeps_all_or_nothing(stores: Stores) -> None:
    """What several stores did before a rule failed is undone in all of them."""
    stores.accounts.add(alice := account("alice", password_hash="old"))
    stores.sessions.add(kept := session(alice.id))
    reset = link(alice.id)

    def rule() -> None:
        with stores.transaction():
            stores.accounts.add(account("bob"))
            stores.accounts.set_password(alice.id, "new", now=0)
            stores.sessions.end(kept.token_hash)
            stores.links.put(reset)
            raise PowerCutError

    with pytest.raises(PowerCutError):
        rule()

    assert [alice] == list(stores.accounts.all())
    assert [kept] == stores.sessions.of_account(alice.id)
    assert stores.links.find(reset.token_hash) is None


def test_a_transaction_sees_its_own_work(stores: Stores) -> None:
    """A rule reads what it wrote, before any other thread can."""
    with stores.transaction():
        stores.accounts.add(alice := account())
        stores.sessions.add(kept := session(alice.id))
        found = stores.sessions.find(kept.token_hash)

    assert found
    assert (kept, alice) == (found.session, found.account)


def test_a_transaction_within_another_joins_it(sql: Stores) -> None:
    """Only the outer one decides: its failure undoes what the inner one did."""

    def rule() -> None:
        with sql.transaction():
            with sql.transaction():
                sql.accounts.add(account())
            raise PowerCutError

    with pytest.raises(PowerCutError):
        rule()

    assert list(sql.accounts.all()) == []


def test_a_transaction_is_its_threads_own(sql: Stores) -> None:
    """Another thread sees nothing of it until it is committed."""
    seen: list[int] = []
    look = threading.Thread(target=lambda: seen.append(len(list(sql.accounts.all()))))

    with sql.transaction():
        sql.accounts.add(account())
        look.start()
        look.join()

    assert seen == [0]
    assert len(list(sql.accounts.all())) == 1


def test_a_session_for_nobody_is_refused(sql: Stores) -> None:
    """An account deleted while its owner signs in leaves no session behind, and the answer is Unavailable."""
    with pytest.raises(Unavailable):
        sql.sessions.add(kept := session("nobody"))
    with pytest.raises(Unavailable):
        sql.links.put(link("nobody"))

    assert sql.sessions.find(kept.token_hash) is None


def test_missing_tables_are_unavailable(database: Database) -> None:
    """Before an upgrade requests fail in the orderly way."""
    with pytest.raises(Unavailable):
        database.run(Statement(sa.text("SELECT * FROM not_there")))


def test_a_failure_tells_no_secret(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """Statements hold hashes and tokens: neither the message nor what caused it shows parameters."""
    hidden = secrets.token_hex()
    over(database).accounts.add(alice := account(password_hash=hidden))

    with pytest.raises(Unavailable) as told:
        over(database).accounts.add(account("bob", id=alice.id, password_hash=hidden))

    with caplog.at_level(logging.ERROR):
        logging.getLogger().error("failed", exc_info=told.value)
    assert "Unavailable" in caplog.text
    assert hidden not in caplog.text


def test_a_database_that_answers_says_so(database: Database) -> None:
    """The metric's question."""
    assert database.ping() is True


@pytest.mark.parametrize("address", ["mysql://root:secret@localhost/x", "sqlite://", "sqlite:///:memory:"])
def test_only_files_and_postgresql_are_databases(address: str) -> None:
    """Anything else is refused, without repeating the address: it holds a password."""
    with pytest.raises(ValueError, match="sqlite:/// or postgresql://") as refusal:
        Database(address)

    assert "secret" not in str(refusal.value)
