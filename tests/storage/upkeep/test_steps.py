"""Each step only adds, so that the release before goes on working beside it and after a roll-back.

One that takes away names the oldest release that may use the tables then (`oldest_release`): that is done a release
after the code that needed it has gone. See docs/decisions/0032-upgrades-while-the-service-runs.md.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
import sqlalchemy as sa

from service import RELEASE
from service.storage.engine.database import Database
from service.storage.upkeep import schema, server_locks
from service.storage.upkeep.steps import Steps
from tests.house_rules.project import read
from tests.rig.postgres import Postgres
from tests.storage.place import Place

Shape = dict[str, dict[str, Any]]
STEPS: Final = Steps(schema.MIGRATIONS, None, schema.HEAD)


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest, place: Place) -> Iterator[Database]:
    """A database without tables."""
    place.state_dir.mkdir()
    place.file.touch(0o600)
    postgres: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    database = Database(address := postgres.new_database() if postgres else place.address)
    yield database
    database.close()
    if postgres:
        postgres.drop(address)


def test_a_step_only_adds_or_names_the_oldest_release(bare: Database) -> None:
    """What the release before reads and writes is still there: tables, columns, types, defaults; no new constraint."""
    found = {}
    with bare.wholesale() as connection:
        for revision in STEPS.revisions:
            before = shape(connection)
            STEPS.run(connection, revision)
            if faults := taken_away(before, shape(connection)):
                found[revision] = faults

    assert {revision: faults for revision, faults in found.items() if not oldest_release(revision)} == {}
    assert {revision for revision in STEPS.revisions if oldest_release(revision)} <= found.keys()


@pytest.mark.parametrize("bare", ["postgresql"], indirect=True)
def test_a_step_names_the_locks_that_it_takes(bare: Database) -> None:
    """Each table that was there before, in the mode that its statements take: no more, and none forgotten."""
    taken = {}
    for revision in STEPS.revisions:
        with bare.wholesale() as connection:
            there = server_locks.tables(connection)
            STEPS.run(connection, revision)
            taken[revision] = server_locks.held(connection, there)

    assert taken == {revision: getattr(STEPS.module(revision), "locks", {}) for revision in STEPS.revisions}


def test_the_oldest_release_is_that_of_the_steps_and_not_later_than_the_last_one() -> None:
    """What the database is told fits its steps, and the release before this one may use its tables: one step back."""
    named = [oldest_release(revision) or "0.0.0" for revision in STEPS.revisions]
    unreleased, *released = re.split(r"^## \[", read("CHANGELOG.md"), flags=re.MULTILINE)[1:]
    names = [entry.partition("]")[0] for entry in released]
    before = RELEASE if len(unreleased.splitlines()) > 1 or len(names) == 1 else names[1]

    assert max(named, key=numbers) == schema.OLDEST_RELEASE
    assert numbers(schema.OLDEST_RELEASE) <= numbers(before)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("DROP TABLE blocks", "blocks is gone"),
        ("ALTER TABLE blocks RENAME TO blocked", "blocks is gone"),
        ("ALTER TABLE accounts DROP email", "accounts.email is gone"),
        ("ALTER TABLE accounts RENAME disabled_at TO off_at", "accounts.disabled_at is gone"),
        ("ALTER TABLE accounts ALTER created_at TYPE integer", "accounts.created_at: another type"),
        ("ALTER TABLE links ALTER account_id SET NOT NULL", "links.account_id: not null"),
        (
            "ALTER TABLE accounts ALTER device_cookies_after DROP DEFAULT",
            "accounts.device_cookies_after: not null, no default",
        ),
        ("ALTER TABLE blocks ADD by_whom text NOT NULL", "blocks.by_whom: not null, no default"),
        ("ALTER TABLE accounts ADD UNIQUE (email)", "accounts: a new constraint"),
        ("CREATE UNIQUE INDEX one ON accounts (email)", "accounts: a new constraint"),
        ("ALTER TABLE accounts ADD CHECK (email > '')", "accounts: a new constraint"),
        ("ALTER TABLE audit ADD FOREIGN KEY (account) REFERENCES accounts", "audit: a new constraint"),
        ("ALTER TABLE blocks ADD by_whom text", None),
        ("ALTER TABLE blocks ADD by_whom text NOT NULL DEFAULT ''", None),
        ("CREATE TABLE more (id text NOT NULL UNIQUE)", None),
        ("CREATE INDEX by_reason ON blocks (reason)", None),
    ],
)
def test_what_takes_away_is_seen(postgresql: Database, statement: str, fault: str | None) -> None:
    """Each way to break the release before is found, and what only adds is not."""
    with postgresql.wholesale() as connection:
        before = shape(connection)
        connection.exec_driver_sql(statement)
        found = taken_away(before, shape(connection))
        connection.rollback()

    assert found == ([fault] if fault else [])


def oldest_release(revision: str) -> str | None:
    """Return the oldest release that may use the tables after a step, where the step takes something away."""
    return getattr(STEPS.module(revision), "oldest_release", None)


def numbers(release: str) -> list[int]:
    """Return what releases are compared by."""
    return [*map(int, release.split("."))]


def shape(connection: sa.Connection) -> Shape:
    """Return of each table its columns, and what its rows must obey."""
    found: Shape = {}
    inspector = sa.inspect(connection)
    for table in set(inspector.get_table_names()) - {"alembic_version"}:
        uniques: list[Any] = [each["column_names"] for each in inspector.get_unique_constraints(table)]
        uniques += [each["column_names"] for each in inspector.get_indexes(table) if each["unique"]]
        references = [each["constrained_columns"] for each in inspector.get_foreign_keys(table)]
        checks = [each["sqltext"] for each in inspector.get_check_constraints(table)]
        rules = {repr(rule) for rule in (*uniques, *references, *checks, inspector.get_pk_constraint(table))}
        found[table] = {"columns": {each["name"]: each for each in inspector.get_columns(table)}, "rules": rules}
    return found


def taken_away(before: Shape, after: Shape) -> list[str]:
    """Return what a release that knows the tables of before can no longer do with those of after."""
    faults = [f"{table} is gone" for table in before if table not in after]
    for table in before.keys() & after.keys():
        was, now = before[table]["columns"], after[table]["columns"]
        faults += [f"{table}.{name} is gone" for name in was if name not in now]
        faults += [f"{table}.{name}: {fault}" for name in now if (fault := _narrowed(was.get(name), now[name]))]
        if after[table]["rules"] - before[table]["rules"] and not faults:
            faults.append(f"{table}: a new constraint")
    return faults


def _narrowed(was: dict[str, Any] | None, now: dict[str, Any]) -> str | None:
    """Return what is wrong with a column for a release that knew it as it was, or did not know it."""
    is_required = not now["nullable"] and now["default"] is None and not now.get("identity")
    if was is None:
        return "not null, no default" if is_required else None
    if str(was["type"]) != str(now["type"]):
        return "another type"
    if was["nullable"] and not now["nullable"]:
        return "not null"
    return "not null, no default" if is_required and was["default"] is not None else None
