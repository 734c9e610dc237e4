"""One-time links: the table, and the store that keeps to `service.login.links.Links`.

A row for each account, and one for the first administrator's link, whichever replica made it.
"""

from typing import Final

import sqlalchemy as sa

from service.login.links import Link, Purpose, latest_expiry
from service.storage.engine.database import Database
from service.storage.engine.statement import Plain, Statement, given, metadata
from service.storage.engine.sweeps import deletion

_SET_UP_OWNER: Final = "set-up"  # the owner of a link without an account; an account's id has 32 hexadecimal digits

links: Final = sa.Table(
    "links",
    metadata,
    sa.Column("owner", Plain, primary_key=True),
    sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("account_id", Plain, sa.ForeignKey("accounts.id", ondelete="CASCADE"), index=True),
    sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)

_PUT: Final = Statement(
    sa.text("""
INSERT INTO links (owner, token_hash, purpose, account_id, expires_at)
VALUES (:owner, :token_hash, :purpose, :account_id, :expires_at)
ON CONFLICT (owner) DO UPDATE
SET token_hash = excluded.token_hash, purpose = excluded.purpose, expires_at = excluded.expires_at""")
)
_THIS: Final = given(links.c.token_hash)
_FIND: Final = Statement(sa.select(links.c.purpose, links.c.account_id, links.c.expires_at).where(_THIS))
_CONSUME: Final = Statement(sa.delete(links).where(_THIS).returning(links.c.owner))
_END_OF_ACCOUNT: Final = Statement(sa.delete(links).where(given(links.c.account_id)).returning(links.c.owner))
# The rule `is_usable` on rows. SQLite needs a bound that all purposes share, or it reads the whole table.
_MADE_AHEAD: Final = sa.or_(
    *((links.c.purpose == each.value) & (links.c.expires_at > sa.bindparam(each.name)) for each in Purpose)
)
_UNUSABLE: Final = (links.c.expires_at <= sa.bindparam("now")) | (
    (links.c.expires_at > sa.bindparam("earliest")) & _MADE_AHEAD
)
_DELETE_EXPIRED: Final = Statement(deletion(links.c.owner, _UNUSABLE).returning(links.c.owner))


class SqlLinks:
    """Links in a database. Every method raises Unavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, link: Link) -> None:
        self._database.run(
            _PUT,
            owner=link.account_id or _SET_UP_OWNER,
            token_hash=link.token_hash,
            purpose=link.purpose.value,
            account_id=link.account_id,
            expires_at=link.expires_at,
        )

    def find(self, token_hash: bytes) -> Link | None:
        rows = self._database.run(_FIND, token_hash=token_hash)
        if not rows:
            return None
        purpose, account_id, expires_at = rows[0]
        return Link(token_hash, Purpose(purpose), account_id, expires_at)

    def consume(self, token_hash: bytes) -> bool:
        return bool(self._database.run(_CONSUME, token_hash=token_hash))

    def end_of_account(self, account_id: str) -> int:
        return len(self._database.run(_END_OF_ACCOUNT, account_id=account_id))

    def delete_expired(self, *, now: int, limit: int) -> int:
        latest = {each.name: latest_expiry(each, now=now) for each in Purpose}
        bounds = latest | {"now": now, "earliest": min(latest.values())}
        return len(self._database.run(_DELETE_EXPIRED, most=limit, **bounds))
