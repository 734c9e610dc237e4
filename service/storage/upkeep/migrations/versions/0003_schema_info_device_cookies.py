"""The table `house` becomes `schema_info`; an account says from when on its device cookies are valid."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
oldest_release = "0.1.0"  # the first one: no release knew `house`
locks = {"house": "ACCESS EXCLUSIVE", "accounts": "ACCESS EXCLUSIVE"}


def upgrade() -> None:
    """Rename the table, and add the column to the accounts. Neither rebuilds a table."""
    op.rename_table("house", "schema_info")
    op.add_column("accounts", sa.Column("device_cookies_after", sa.BigInteger, nullable=False, server_default="0"))
