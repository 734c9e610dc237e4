"""App passwords."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
locks = {"accounts": "SHARE ROW EXCLUSIVE"}  # a table that refers to it

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "app_passwords",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column("id", PLAIN, nullable=False, unique=True),
        sa.Column("account_id", PLAIN, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("apps", PLAIN, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger),
        sa.Column("seen_at", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_app_passwords_account_id", "app_passwords", ["account_id"])
