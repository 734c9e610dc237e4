"""Accounts, sessions, one-time links, counters, and the release that the database belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables of the first release."""
    _schema_info()
    _accounts()
    _sessions()
    _links()
    if op.get_context().dialect.name == "postgresql":
        _counters()


def _schema_info() -> None:
    op.create_table(
        "house",  # `schema_info` since 0003
        sa.Column("name", PLAIN, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", PLAIN, primary_key=True),
        sa.Column("username", PLAIN, nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("is_admin", sa.Boolean, nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("password_changed_at", sa.BigInteger),
        sa.Column("disabled_at", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    # Spelt as each engine's queries are: SQLite takes a partial index only for the very same words.
    spelt = "is_admin" if op.get_context().dialect.name == "postgresql" else "is_admin = 1"
    _index_of_exceptions("accounts_administering", f"{spelt} AND disabled_at IS NULL")
    _index_of_exceptions("accounts_disabled", "disabled_at IS NOT NULL")
    _index_of_exceptions("accounts_invited", "disabled_at IS NULL AND password_hash IS NULL")
    op.create_table(
        "account_groups",
        sa.Column("account_id", PLAIN, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", PLAIN, primary_key=True),
        sqlite_with_rowid=False,
    )


def _index_of_exceptions(name: str, which: str) -> None:
    op.create_index(name, "accounts", ["id"], sqlite_where=sa.text(which), postgresql_where=sa.text(which))


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column("id", PLAIN, nullable=False, unique=True),
        sa.Column("account_id", PLAIN, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("remembered", sa.Boolean, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("user_agent", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"])
    op.create_index("sessions_by_use", "sessions", ["remembered", "seen_at", "created_at"])
    op.create_index("sessions_by_age", "sessions", ["remembered", "created_at", "id"])


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("owner", PLAIN, primary_key=True),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("account_id", PLAIN, sa.ForeignKey("accounts.id", ondelete="CASCADE")),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_links_account_id", "links", ["account_id"])
    op.create_index("ix_links_expires_at", "links", ["expires_at"])


def _counters() -> None:
    op.create_table(
        "counters",
        sa.Column("key", PLAIN, primary_key=True),
        sa.Column("hits", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_counters_expires_at", "counters", ["expires_at"])
