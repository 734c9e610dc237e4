"""What a database says of itself: whether it is Vestibule's, its revision, and which releases may use it."""

import re
from typing import Final

import sqlalchemy as sa

from service import RELEASE
from service.storage.engine.database import SchemaFault
from service.storage.engine.statement import Plain, metadata

TABLES: Final = frozenset({"accounts", "sessions", "links", "audit", "schema_info", "alembic_version"})  # since 0003
_RELEASE: Final = re.compile(r"\d{1,9}\.\d{1,9}\.\d{1,9}", re.ASCII)
_REVISION: Final = re.compile(r"(?!0000)\d{4}", re.ASCII)

schema_info: Final = sa.Table(
    "schema_info",
    metadata,
    sa.Column("name", Plain, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
_OF_EVERY_REVISION: Final = {"accounts", "account_groups", "sessions", "links"}
_alembic: Final = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.Text))


def revision_of(connection: sa.Connection) -> str | None:
    """Return the revision that the tables have; None for a database without any. Raises SchemaFault."""
    tables = set(sa.inspect(connection).get_table_names())
    if connection.dialect.name == "postgresql":
        _require_settings(connection)
    if not tables:
        return None
    # Before revision 0003 the table was called `house`.
    name = next((each for each in ("schema_info", "house") if each in tables), None)
    if name is None or "alembic_version" not in tables:
        raise SchemaFault("the database holds tables that are not Vestibule's; give it an empty database of its own")
    if lost := sorted(_OF_EVERY_REVISION - tables):
        raise SchemaFault(f"the database lacks the table {lost[0]}: restore a copy of it")
    info = schema_info.to_metadata(sa.MetaData(), name=name)
    oldest = connection.scalar(sa.select(info.c.value).where(info.c.name == "oldest_release"))
    found = connection.scalars(sa.select(_alembic.c.version_num)).all()
    revision = str(found[0]) if len(found) == 1 else None
    require_release(revision, oldest)
    return revision


def require_release(revision: str | None, oldest: str | None) -> None:
    """Raise SchemaFault unless this release may use tables of that revision, for which `oldest` is the first."""
    if not (_REVISION.fullmatch(revision or "") and _RELEASE.fullmatch(oldest or "")):
        raise SchemaFault("the database does not say which release it belongs to; restore a copy of it")
    if _numbers(RELEASE) < _numbers(str(oldest)):
        raise SchemaFault(f"the database needs Vestibule {oldest} or later, this is {RELEASE}; install the later one")


def _numbers(release: str) -> tuple[int, ...]:
    """Return major, minor and patch; a pre-release such as 0.2.0rc1 has the tables of 0.2.0."""
    return tuple(map(int, re.findall(r"\d+", release)[:3]))


def _require_settings(connection: sa.Connection) -> None:
    """Refuse what display names cannot be written in, and a default isolation that single statements must not have."""
    if connection.exec_driver_sql("SHOW server_encoding").scalar() != "UTF8":
        raise SchemaFault(
            "the database must have the encoding UTF8 (CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0)"
        )
    isolation, user = connection.exec_driver_sql(
        "SELECT current_setting('default_transaction_isolation'), quote_ident(current_user)"
    ).one()
    if isolation != "read committed":
        raise SchemaFault(
            f"the database's default isolation is {isolation}, with which parallel sign-ins fail: type "
            f"ALTER ROLE {user} SET default_transaction_isolation = 'read committed';"
        )
