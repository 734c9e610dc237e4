"""Accounts and their groups: the tables, and the store that keeps to `service.login.accounts.Accounts`."""

from collections.abc import Iterator
from typing import Final, cast

import sqlalchemy as sa

from service.login.accounts import Account, UsernameTaken
from service.storage.engine.database import Database
from service.storage.engine.statement import Plain, Row, Statement, given, metadata, values_of

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
    sa.Column("device_cookies_after", sa.BigInteger, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)
_ADMINISTERS: Final = accounts.c.is_admin & accounts.c.disabled_at.is_(None)
_DISABLED: Final = accounts.c.disabled_at.is_not(None)
_INVITED: Final = accounts.c.disabled_at.is_(None) & accounts.c.password_hash.is_(None)
# Three small indexes of exceptions: those are counted without reading the others. Counting all accounts reads all keys.
# (The migration says `where` to PostgreSQL, too. Said here, it would load that dialect into every process: 2 MB.)
for _name, _which in (("administering", _ADMINISTERS), ("disabled", _DISABLED), ("invited", _INVITED)):
    sa.Index(f"accounts_{_name}", accounts.c.id, sqlite_where=_which)

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
_BEFORE_GROUPS: Final = 5
COLUMNS: Final = (*list(accounts.c)[:_BEFORE_GROUPS], _GROUPS.label("groups"), *list(accounts.c)[_BEFORE_GROUPS:])
_EDITABLE: Final = [
    accounts.c[name] for name in ("display_name", "email", "is_admin", "disabled_at", "device_cookies_after")
]
_THIS: Final = accounts.c.id == sa.bindparam("account_id")
_SELECT: Final = sa.select(*COLUMNS)
_BY_USERNAME: Final = Statement(_SELECT.where(given(accounts.c.username)))
_BY_ID: Final = Statement(_SELECT.where(_THIS))
# On SQLite a transaction has the file to itself anyway.
_LOCK_FOR_UPDATE: Final = Statement(_SELECT.where(_THIS).with_for_update(of=accounts, key_share=True))
_PAGE: Final = Statement(
    _SELECT.where(accounts.c.username > sa.bindparam("after")).order_by(accounts.c.username).limit(PAGE)
)
_COUNT: Final = Statement(
    sa.select(
        *(
            sa.select(sa.func.count()).select_from(accounts).where(which).scalar_subquery()
            for which in (sa.true(), _DISABLED, _INVITED)
        )
    )
)
_HAS_ADMINISTRATOR: Final = Statement(
    sa.select(accounts.c.id).where(_ADMINISTERS, accounts.c.id != sa.bindparam("besides")).limit(1)
)
_SET_PASSWORD: Final = Statement(
    sa.update(accounts).where(_THIS).values(password_hash=sa.bindparam("new"), password_changed_at=sa.bindparam("now"))
)
_REHASH: Final = Statement(
    sa.update(accounts)
    .where(_THIS, accounts.c.password_hash == sa.bindparam("old"))
    .values(password_hash=sa.bindparam("new"))
    .returning(accounts.c.id)
)
_DELETE: Final = Statement(sa.delete(accounts).where(_THIS))


class SqlAccounts:
    """Accounts in a database. Every method raises Unavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_username(self, username: str) -> Account | None:
        return self._one(_BY_USERNAME, username=username)

    def by_id(self, account_id: str) -> Account | None:
        return self._one(_BY_ID, account_id=account_id)

    def lock_for_update(self, account_id: str) -> Account | None:
        return self._one(_LOCK_FOR_UPDATE, account_id=account_id)

    def _one(self, statement: Statement, **values: str) -> Account | None:
        rows = self._database.run(statement, **values)
        return account_from(rows[0]) if rows else None

    def all(self) -> Iterator[Account]:
        """Read page by page: a slow reader holds no transaction open."""
        after = ""
        while rows := self._database.run(_PAGE, after=after):
            page = [account_from(row) for row in rows]
            yield from page
            after = page[-1].username

    def count(self) -> dict[str, int]:
        ((every, disabled, invited),) = self._database.run(_COUNT)
        return {"active": every - disabled - invited, "disabled": disabled, "invited": invited}

    def has_administrator(self, *, besides: str = "") -> bool:
        return bool(self._database.run(_HAS_ADMINISTRATOR, besides=besides))

    def add(self, account: Account) -> None:
        """A name that is taken undoes this account alone, not the transaction it is part of."""
        with self._database.transaction() as connection:
            try:
                with connection.begin_nested():
                    connection.execute(sa.insert(accounts), values_of(accounts.c, account))
            except sa.exc.IntegrityError as conflict:
                if self.by_username(account.username) is None:
                    raise
                raise UsernameTaken(account.username) from conflict
            _keep_groups(connection, account)

    def replace(self, account: Account) -> None:
        with self._database.transaction() as connection:
            edit = sa.update(accounts).where(accounts.c.id == account.id).values(values_of(_EDITABLE, account))
            if connection.execute(edit).rowcount:
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
    groups, is_admin, *rest = row[_BEFORE_GROUPS : len(COLUMNS)]
    names = tuple(sorted(groups.split(","))) if groups else ()
    return Account(*row[:_BEFORE_GROUPS], *(names, bool(is_admin), *rest))


def _keep_groups(connection: sa.Connection, account: Account) -> None:
    if account.groups:
        rows = [{"account_id": account.id, "name": name} for name in sorted(set(account.groups))]
        connection.execute(sa.insert(account_groups), rows)
