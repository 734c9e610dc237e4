"""A state directory as a service starting there finds it, and the release that comes after this one."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from service.storage.engine.database import Database
from service.storage.upkeep import schema
from service.storage.upkeep.schema import SchemaFault
from tests.storage.stores import NOW

# The revision of this release, that of the release after it, and a step as that one may bring: SQLite rebuilds a table
# that others refer to.
HEAD = schema.HEAD
LATER = f"{int(HEAD) + 1:04d}"
LATER_STEP = f"""
import sqlalchemy as sa
from alembic import op

revision = "{LATER}"
down_revision = "{HEAD}"
locks = {{"accounts": "ACCESS EXCLUSIVE"}}


def upgrade():
    recreate = "always" if op.get_context().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("accounts", recreate=recreate) as accounts:
        accounts.add_column(sa.Column("pronouns", sa.Text))
"""


def upgrade_server(database: Database) -> str:
    """Bring a database that is no file to this release; of such a one no copies are kept."""
    return schema.upgrade(database, backups=Path("nowhere"), now=NOW)


class Place:
    """A state directory, and its database as a service starting there finds it."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.file = state_dir / "vestibule.sqlite3"
        self.backups = state_dir / "backups"
        self.address = f"sqlite:///{self.file}"

    def prepare(self, *, now: int = NOW) -> Database:
        """Make the database ready."""
        database = Database(self.address)
        schema.prepare(database, backups=self.backups, now=now)
        return database

    def refusal(self) -> str:
        """Return why the start is refused, having seen that nothing was changed."""
        before = self.file.read_bytes() if self.file.exists() else b""
        with pytest.raises(SchemaFault) as fault:
            self.prepare()
        after = self.file.read_bytes() if self.file.exists() else b""
        assert before == after
        return str(fault.value)

    def sql(self, *statements: str) -> list[Any]:
        """Do something to the file that the service would not."""
        with closing(sqlite3.connect(self.file)) as connection:
            rows = [row for statement in statements for row in connection.execute(statement)]
            connection.commit()
        self.file.chmod(0o600)
        return rows


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty state directory."""
    return Place(tmp_path / "a state")


@pytest.fixture
def later_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The migrations of a release that comes after this one, in use from here on."""
    migrations = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    (migrations / f"versions/{LATER}_later.py").write_text(LATER_STEP)
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    monkeypatch.setattr(schema, "HEAD", LATER)
    return migrations
