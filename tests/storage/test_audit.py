"""The audit trail: one suite for every place in which it is kept, and what the database's does by itself."""

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from service.login.audit import Audit, Entry, Happened
from service.services import Unavailable
from service.storage import audit, audit_buffer
from service.storage.audit import PAGE, SWEPT_EVERY, SqlAudit
from service.storage.audit_buffer import AuditBuffer
from service.storage.engine.database import Database
from service.storage.engine.statement import Statement, values_of
from service.storage.engine.sweeps import SWEPT_AT_ONCE
from tests.rig.memory_store import MemoryAudit, Rows
from tests.rig.parts import ROOT
from tests.rig.until import until
from tests.storage.conftest import SQL, of_engine
from tests.storage.stores import NOW, address_of

KEPT = 1000


def entry(number: int = 0, **facts: object) -> Entry:
    """Return something that happened, so many seconds from NOW."""
    known: dict[str, object] = {"at": NOW + number, "event": Happened.SIGNED_IN, "account": "alice"}
    return Entry(**(known | facts))  # type: ignore[arg-type]


@dataclass
class Trail:
    """A trail, and the transaction that it takes part in."""

    audit: Audit
    transaction: Callable[[], AbstractContextManager[object]]


@pytest.fixture(params=["memory", *SQL])
def trail(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Trail:
    """Every implementation of the port in turn, with nothing in it."""
    if request.param == "memory":
        rows = Rows()
        return Trail(MemoryAudit(rows), rows.transaction)
    database = of_engine(request, monkeypatch)
    return Trail(SqlAudit(database, kept_seconds=KEPT), database.transaction)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let notes wait for a tenth of a second."""
    monkeypatch.setattr(audit_buffer, "WAIT_SECONDS", 0.1)


def rows_of(database: Database) -> int:
    """Return how many entries the table has."""
    ((many,),) = database.run(Statement(sa.text("SELECT count(*) FROM audit")))
    return int(many)


def undone(trail: Trail, act: Callable[[], None]) -> None:
    """Do something in a transaction that fails afterwards."""
    with suppress(KeyError), trail.transaction():
        act()
        raise KeyError


def test_an_entry_says_all_of_it(trail: Trail) -> None:
    """What happened, when, to which account, from where, by what, how it ended, and more; in every script."""
    said = Entry(
        NOW, Happened.SIGN_IN_REFUSED, "zoë", "2001:db8::7", "password", "wrong_password", "“ﬁne” 🦦; 'x' -- %s"
    )

    trail.audit.add(said)

    assert list(trail.audit.entries()) == [said]


def test_the_newest_comes_first(trail: Trail) -> None:
    """In the order in which it was written, also within a second, over many pages."""
    with trail.transaction():
        for number in range(PAGE + 20):
            trail.audit.add(entry(number // 3, detail=str(number)))

    assert [int(each.detail) for each in trail.audit.entries()] == list(reversed(range(PAGE + 20)))


def test_entries_are_found_by_account_and_time(trail: Trail) -> None:
    """Those of one account, those since a moment, both."""
    for number, account in enumerate(["alice", "bob", "alice", "", "alice", "al%"]):
        trail.audit.add(entry(number, account=account))

    def found(**which: object) -> list[int]:
        return [each.at - NOW for each in trail.audit.entries(**which)]  # type: ignore[arg-type]

    assert found(account="alice") == [4, 2, 0]
    assert found(since=NOW + 3) == [5, 4, 3]
    assert found(account="alice", since=NOW + 2) == [4, 2]
    assert found(account="al%") == [5]
    assert found(account="Alice") == found(since=NOW + 9) == []


def test_what_did_not_happen_is_not_written(trail: Trail) -> None:
    """An entry is part of the transaction that it tells of: when that is undone, so is the entry."""
    undone(trail, lambda: trail.audit.add(entry(1)))

    with trail.transaction():
        trail.audit.add(entry(2))

    assert list(trail.audit.entries()) == [entry(2)]


@pytest.mark.usefixtures("soon")
def test_a_note_is_written_by_itself(trail: Trail) -> None:
    """Soon, in order, together with others of its time; and again after that."""
    for first in (0, 3):
        for number in range(3):
            trail.audit.note(entry(first + number))
        until(lambda many=first + 3: len(list(trail.audit.entries())) == many, "notes are written")  # type: ignore[misc]

    assert [each.at - NOW for each in trail.audit.entries()] == [5, 4, 3, 2, 1, 0]


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("trail", SQL, indirect=True)
def test_a_note_is_no_part_of_a_transaction(trail: Trail) -> None:
    """A refused attempt is recorded, also when the transaction of this thread is undone."""
    undone(trail, lambda: trail.audit.note(entry()))

    until(lambda: list(trail.audit.entries()) == [entry()], "the note is written")


def test_the_past_is_not_rewritten(database: Database) -> None:
    """A statement that changes an entry is refused by the database itself, from every client."""
    trail = SqlAudit(database, kept_seconds=KEPT)
    trail.add(entry())

    all_at_once = [] if database.path else ["TRUNCATE audit"]
    for change in ["UPDATE audit SET account = 'bob'", "UPDATE audit SET at = 0 WHERE account = 'alice'", *all_at_once]:
        with pytest.raises(Unavailable, match="only added to"):
            database.run(Statement(sa.text(change)))

    assert list(trail.entries()) == [entry()]


def test_entries_go_when_they_are_old(database: Database) -> None:
    """So many at a time, the oldest first, as new ones come; one that is to be kept never goes."""
    trail, surplus = SqlAudit(database, kept_seconds=KEPT), 30
    with database.transaction():
        for number in range(SWEPT_AT_ONCE + surplus):
            database.run(audit._ADD, **values_of(audit._FACTS, entry(detail=str(number))))
        trail.add(entry(1))

    left = []
    for turn in range(4):
        for _ in range(SWEPT_EVERY - (turn == 0)):  # the one above was the first
            trail.add(entry(KEPT))
        left.append(rows_of(database) - SWEPT_EVERY * (turn + 1))

    assert left == [surplus, 0, 0, 0]
    assert entry(1) in list(trail.entries())


@pytest.mark.usefixtures("soon")
def test_notes_wait_for_a_database_that_is_away(
    sqlite_file: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A refused client sees no error; the log says that entries wait, and no secret; then all are written."""
    trail = SqlAudit(sqlite_file, kept_seconds=KEPT)
    with monkeypatch.context() as away:
        away.setattr(trail, "_database", Database("postgresql://vestibule:secret@127.0.0.1:1/vestibule"))
        for number in range(3):
            trail.note(entry(number))
        until(lambda: "audit entries wait" in caplog.text, "the wait is told")
        trail.note(entry(3))

    until(lambda: [each.at - NOW for each in trail.entries()] == [3, 2, 1, 0], "notes are written after all")
    assert "secret" not in caplog.text


@pytest.mark.usefixtures("soon")
def test_more_notes_than_there_is_room_for_are_counted(
    sqlite_file: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A flood takes no memory without end: the first are written, and of the others the log says how many."""
    monkeypatch.setattr(audit_buffer, "MOST", 4)
    trail = SqlAudit(sqlite_file, kept_seconds=KEPT)
    trail.note(*map(entry, range(3)))
    trail.note(*map(entry, range(3, 10)))

    until(lambda: "6 entries are missing in the audit trail" in caplog.text, "the loss is told")
    until(lambda: [each.at - NOW for each in trail.entries()] == [3, 2, 1, 0], "the first are written")
    assert sum(record.levelno == logging.ERROR for record in caplog.records) == 1


@pytest.mark.usefixtures("soon")
def test_a_note_that_cannot_be_written_keeps_no_others_back(
    sqlite_file: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named as lost, and what comes after it is written."""
    trail = SqlAudit(sqlite_file, kept_seconds=KEPT)
    trail.note(entry(detail="\ud800"))
    until(lambda: "1 entries are missing in the audit trail" in caplog.text, "the loss is told")

    trail.note(entry(1))

    until(lambda: list(trail.entries()) == [entry(1)], "the next is written")


@pytest.mark.usefixtures("soon")
def test_the_end_waits_for_what_is_being_written() -> None:
    """A process that ends in the middle of a write does not cut it off."""
    begun, go_on, written = threading.Event(), threading.Event(), list[Entry]()

    def write(entries: list[Entry]) -> None:
        begun.set()
        assert go_on.wait(20)
        written.extend(entries)

    waiting = AuditBuffer(write)
    waiting.take([entry()])
    assert begun.wait(20)
    with ThreadPoolExecutor(1) as process:
        end = process.submit(waiting.write)
        is_over, _ = wait([end], 0.2)
        go_on.set()

    assert (is_over, written) == (set(), [entry()])


def test_a_process_that_exits_writes_its_notes_first(sqlite_file: Database) -> None:
    """A worker that is recycled loses nothing, and does not stay for it."""
    note = (
        "from service.storage.audit import SqlAudit; from service.storage.engine.database import Database;"
        "from service.login.audit import Entry, Happened;"
        f"SqlAudit(Database({address_of(sqlite_file)!r}), kept_seconds={KEPT})"
        f".note(Entry({NOW}, Happened.SIGNED_IN, 'alice'))"
    )

    subprocess.run([sys.executable, "-B", "-c", note], cwd=ROOT, check=True)

    assert list(SqlAudit(sqlite_file, kept_seconds=KEPT).entries()) == [entry()]
