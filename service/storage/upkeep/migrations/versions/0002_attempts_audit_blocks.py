"""Attempts, the audit trail, and blocked networks."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables. On SQLite attempts lie in the counters' own file."""
    _audit()
    op.create_table(
        "blocks",
        sa.Column("network", PLAIN, primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    if op.get_context().dialect.name == "postgresql":
        _attempts()


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("account", PLAIN, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("audit_by_account", "audit", ["account", "id"])
    op.create_index("audit_by_time", "audit", ["at"])
    for statement in _APPEND_ONLY[op.get_context().dialect.name]:
        op.execute(statement)


# The service never changes an entry; a statement that does is an attempt to falsify the trail.
_APPEND_ONLY = {
    "sqlite": (
        (
            "CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END"
        ),
    ),
    "postgresql": (
        (
            "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit trail is only added to'; END $$"
        ),
        (
            "CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit "
            "FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()"
        ),
        (
            "CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
        ),
    ),
}


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", PLAIN, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("account", PLAIN, nullable=False),
        sa.Column("username", PLAIN),
        sa.Column("network", PLAIN, nullable=False),
        sa.Column("device", PLAIN),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_attempts_at", "attempts", ["at"])
    op.create_index("attempts_by_account", "attempts", ["account", "at"])
    op.create_index("attempts_by_network", "attempts", ["network", "at"])
