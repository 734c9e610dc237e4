"""Accounts and their groups: the tables, and the store that keeps to `service.login.accounts.Accounts`."""

from collections.abc import Iterator
from typing import Final, cast

import sqlalchemy as sa

from service.login.accounts import Account, UsernameTaken
from service.storage.engine.database import Database, Plain, Row, Statement, metadata

PAGE: Final = 500

accounts: Final = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", Plain, primary_key=True),
    sa.Column("username", Plain, nullable=False, unique=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("is_admin", sa.Boolean, nullable=False),
    sa.Column("password_hash", sa.Text),
    sa.Column("password_changed_at", sa.BigInteger),
    sa.Column("disabled_at", sa.BigInteger),
    sqlite_with_rowid=False,
)
_ADMINISTERS: Final = accounts.c.is_admin & accounts.c.disabled_at.is_(None)
_DISABLED: Final = accounts.c.disabled_at.is_not(None)
_INVITED: Final = accounts.c.disabled_at.is_(None) & accounts.c.password_hash.is_(None)
# Three small indexes of exceptions: those are counted without a look at the others. Counting everybody reads all keys.
for _name, _which in (("administering", _ADMINISTERS), ("disabled", _DISABLED), ("invited", _INVITED)):
    sa.Index(f"accounts_{_name}", accounts.c.id, sqlite_where=_which, postgresql_where=_which)

account_groups: Final = sa.Table(
    "account_groups",
    metadata,
    sa.Column("account_id", Plain, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", Plain, primary_key=True),
    sqlite_with_rowid=False,
)

# Written into the statement: a bound separator would be one more value to hand over.
_COMMA: Final = cast("str", sa.literal_column("','"))
_GROUPS: Final = (
    sa.select(sa.func.aggregate_strings(account_groups.c.name, _COMMA))
    .where(account_groups.c.account_id == accounts.c.id)
    .correlate(accounts)
    .scalar_subquery()
)
# The columns of an account wherever a query returns one; `account_from` reads them in this order.
COLUMNS: Final = (
    accounts.c.id,
    accounts.c.username,
    accounts.c.created_at,
    accounts.c.display_name,
    accounts.c.email,
    _GROUPS.label("groups"),
    accounts.c.is_admin,
    accounts.c.password_hash,
    accounts.c.password_changed_at,
    accounts.c.disabled_at,
)

_BY_USERNAME: Final = Statement(sa.select(*COLUMNS).where(accounts.c.username == sa.bindparam("username")))
_BY_ID: Final = Statement(sa.select(*COLUMNS).where(accounts.c.id == sa.bindparam("account_id")))
# On SQLite a transaction has the file to itself anyway.
_HOLD: Final = Statement(
    sa.select(*COLUMNS).where(accounts.c.id == sa.bindparam("account_id")).with_for_update(of=accounts, key_share=True)
)
_PAGE: Final = Statement(
    sa.select(*COLUMNS)
    .where(accounts.c.username > sa.bindparam("after"))
    .order_by(accounts.c.username)
    .limit(sa.bindparam("page"))
)
_COUNT: Final = Statement(
    sa.select(
        *(
            sa.select(sa.func.count()).select_from(accounts).where(which).scalar_subquery()
            for which in (sa.true(), _DISABLED, _INVITED)
        )
    )
)
_HAS_ADMINISTRATOR: Final = Statement(sa.select(accounts.c.id).where(_ADMINISTERS).limit(1))
_SET_PASSWORD: Final = Statement(
    sa.update(accounts)
    .where(accounts.c.id == sa.bindparam("account_id"))
    .values(password_hash=sa.bindparam("new"), password_changed_at=sa.bindparam("now"))
)
_REHASH: Final = Statement(
    sa.update(accounts)
    .where(accounts.c.id == sa.bindparam("account_id"), accounts.c.password_hash == sa.bindparam("old"))
    .values(password_hash=sa.bindparam("new"))
    .returning(accounts.c.id)
)
_DELETE: Final = Statement(sa.delete(accounts).where(accounts.c.id == sa.bindparam("account_id")))


class SqlAccounts:
    """Accounts in a database. Every method raises Unavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_username(self, username: str) -> Account | None:
        rows = self._database.run(_BY_USERNAME, username=username)
        return account_from(rows[0]) if rows else None

    def by_id(self, account_id: str) -> Account | None:
        rows = self._database.run(_BY_ID, account_id=account_id)
        return account_from(rows[0]) if rows else None

    def hold(self, account_id: str) -> Account | None:
        rows = self._database.run(_HOLD, account_id=account_id)
        return account_from(rows[0]) if rows else None

    def all(self) -> Iterator[Account]:
        """Read page by page: a slow reader holds no transaction open."""
        after = ""
        while rows := self._database.run(_PAGE, after=after, page=PAGE):
            page = [account_from(row) for row in rows]
            yield from page
            after = page[-1].username

    def count(self) -> dict[str, int]:
        ((everybody, disabled, invited),) = self._database.run(_COUNT)
        return {"active": everybody - disabled - invited, "disabled": disabled, "invited": invited}

    def has_administrator(self) -> bool:
        return bool(self._database.run(_HAS_ADMINISTRATOR))

    def add(self, account: Account) -> None:
        """A name that is taken undoes this account alone, not the transaction it is part of."""
        with self._database.writing() as connection:
            try:
                with connection.begin_nested():
                    connection.execute(
                        sa.insert(accounts),
                        {
                            "id": account.id,
                            "created_at": account.created_at,
                            **_facts(account),
                            "username": account.username,
                            "password_hash": account.password_hash,
                            "password_changed_at": account.password_changed_at,
                        },
                    )
            except sa.exc.IntegrityError as conflict:
                if self.by_username(account.username) is None:
                    raise
                raise UsernameTaken(account.username) from conflict
            _keep_groups(connection, account)

    def replace(self, account: Account) -> None:
        with self._database.writing() as connection:
            mine = accounts.c.id == account.id
            if connection.execute(sa.update(accounts).where(mine).values(**_facts(account))).rowcount:
                connection.execute(sa.delete(account_groups).where(account_groups.c.account_id == account.id))
                _keep_groups(connection, account)

    def set_password(self, account_id: str, password_hash: str, *, now: int) -> None:
        self._database.run(_SET_PASSWORD, account_id=account_id, new=password_hash, now=now)

    def rehash_password(self, account_id: str, *, old: str, new: str) -> bool:
        return bool(self._database.run(_REHASH, account_id=account_id, old=old, new=new))

    def delete(self, account_id: str) -> None:
        """The tables that refer to accounts lose their rows with it."""
        self._database.run(_DELETE, account_id=account_id)


def account_from(row: Row) -> Account:
    """Return the account whose COLUMNS the row begins with."""
    account_id, username, created_at, display_name, email, groups, is_admin, password_hash, changed_at, disabled_at = (
        row[: len(COLUMNS)]
    )
    return Account(
        id=account_id,
        username=username,
        created_at=created_at,
        display_name=display_name,
        email=email,
        groups=tuple(sorted(groups.split(","))) if groups else (),
        is_admin=bool(is_admin),
        password_hash=password_hash,
        password_changed_at=changed_at,
        disabled_at=disabled_at,
    )


def _facts(account: Account) -> dict[str, object]:
    """Return what an operator may change."""
    return {
        "display_name": account.display_name,
        "email": account.email,
        "is_admin": account.is_admin,
        "disabled_at": account.disabled_at,
    }


def _keep_groups(connection: sa.Connection, account: Account) -> None:
    if account.groups:
        rows = [{"account_id": account.id, "name": name} for name in sorted(set(account.groups))]
        connection.execute(sa.insert(account_groups), rows)
