"""App passwords: the table, and the store that keeps to `service.login.app_passwords.AppPasswords`."""

from contextlib import suppress
from typing import Final

import sqlalchemy as sa

from service.login.app_passwords import AppPassword, Owned
from service.login.sessions import SEEN_EVERY_SECONDS
from service.services import Unavailable
from service.storage.accounts import COLUMNS, account_from, accounts
from service.storage.engine.database import Database
from service.storage.engine.statement import Plain, Row, Statement, given, metadata, values_of

app_passwords: Final = sa.Table(
    "app_passwords",
    metadata,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True),
    sa.Column("id", Plain, nullable=False, unique=True),
    sa.Column("account_id", Plain, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("apps", Plain, nullable=False),  # names with a comma between them
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("ends_at", sa.BigInteger),
    sa.Column("seen_at", sa.BigInteger),
    sqlite_with_rowid=False,
)
_OWN: Final = app_passwords.c
_THIS: Final = given(_OWN.token_hash)
_THESE: Final = given(_OWN.account_id)
_ADD: Final = Statement(sa.insert(app_passwords))
_FIND: Final = Statement(
    sa.select(*COLUMNS, *_OWN).select_from(app_passwords).join(accounts, accounts.c.id == _OWN.account_id).where(_THIS)
)
_OF_ACCOUNT: Final = Statement(sa.select(app_passwords).where(_THESE).order_by(_OWN.created_at.desc(), _OWN.id.desc()))
_UNSEEN: Final = _OWN.seen_at.is_(None) | (_OWN.seen_at <= sa.bindparam("before"))
_TOUCH: Final = Statement(sa.update(app_passwords).where(_THIS, _UNSEEN).values(seen_at=sa.bindparam("now")))
_END: Final = Statement(sa.delete(app_passwords).where(_THESE, given(_OWN.id)).returning(_OWN.id))
_END_OF_ACCOUNT: Final = Statement(sa.delete(app_passwords).where(_THESE).returning(_OWN.id))


class SqlAppPasswords:
    """App passwords in a database. Every method but `touch` raises Unavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, password: AppPassword) -> None:
        self._database.run(_ADD, **values_of(_OWN, password) | {"apps": ",".join(password.apps)})

    def find(self, token_hash: bytes) -> Owned | None:
        rows = self._database.run(_FIND, token_hash=token_hash)
        return Owned(_app_password(rows[0][len(COLUMNS) :]), account_from(rows[0])) if rows else None

    def of_account(self, account_id: str) -> list[AppPassword]:
        return [_app_password(row) for row in self._database.run(_OF_ACCOUNT, account_id=account_id)]

    def touch(self, token_hash: bytes, *, now: int) -> None:
        with suppress(Unavailable):  # an app password can be used while the disk is full
            self._database.run(_TOUCH, token_hash=token_hash, now=now, before=now - SEEN_EVERY_SECONDS)

    def end(self, account_id: str, password_id: str) -> bool:
        return bool(self._database.run(_END, account_id=account_id, id=password_id))

    def end_of_account(self, account_id: str) -> int:
        return len(self._database.run(_END_OF_ACCOUNT, account_id=account_id))


def _app_password(row: Row) -> AppPassword:
    token_hash, password_id, account_id, name, apps, *times = row
    return AppPassword(password_id, token_hash, account_id, name, tuple(apps.split(",")), *times)
