"""Blocked networks: the table, and the store that keeps to `service.access.block_list.Blocks`."""

from typing import Final

import sqlalchemy as sa

from service.access.block_list import Block
from service.storage.engine.database import Database
from service.storage.engine.statement import Plain, Statement, given, metadata, values_of

blocks: Final = sa.Table(
    "blocks",
    metadata,
    sa.Column("network", Plain, primary_key=True),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
_PUT: Final = Statement(
    sa.text("""
INSERT INTO blocks (network, until, created_at, reason) VALUES (:network, :until, :created_at, :reason)
ON CONFLICT (network) DO UPDATE
SET until = excluded.until, created_at = excluded.created_at, reason = excluded.reason""")
)
_REMOVE: Final = Statement(sa.delete(blocks).where(given(blocks.c.network)).returning(blocks.c.network))
_HOLDING: Final = Statement(sa.select(blocks).where(blocks.c.until > sa.bindparam("now")).order_by(blocks.c.network))
_SWEEP: Final = Statement(sa.delete(blocks).where(blocks.c.until <= sa.bindparam("now")).returning(blocks.c.network))


class SqlBlocks:
    """Blocks in a database. Every method raises Unavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, block: Block) -> None:
        self._database.run(_PUT, **values_of(blocks.c, block))

    def remove(self, network: str) -> bool:
        return bool(self._database.run(_REMOVE, network=network))

    def all(self, *, now: int) -> list[Block]:
        return [Block(*row) for row in self._database.run(_HOLDING, now=now)]

    def delete_expired(self, *, now: int) -> int:
        return len(self._database.run(_SWEEP, now=now))
