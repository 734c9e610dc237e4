"""All stores that keep their rows in the database."""

from typing import TypedDict

from service.access.block_list import Blocks
from service.login.accounts import Accounts
from service.login.audit import Audit
from service.login.links import Links
from service.login.sessions import Sessions
from service.storage.accounts import SqlAccounts
from service.storage.audit import SqlAudit
from service.storage.blocks import SqlBlocks
from service.storage.engine.database import Database
from service.storage.links import SqlLinks
from service.storage.sessions import SqlSessions


class SqlStores(TypedDict):
    """The stores by the names under which `Services` hands them on."""

    accounts: Accounts
    sessions: Sessions
    links: Links
    audit: Audit
    blocks: Blocks


def sql_stores(database: Database, *, audit_kept_seconds: int) -> SqlStores:
    """Return the stores over one database. Nothing is opened."""
    return SqlStores(
        accounts=SqlAccounts(database),
        sessions=SqlSessions(database),
        links=SqlLinks(database),
        audit=SqlAudit(database, kept_seconds=audit_kept_seconds),
        blocks=SqlBlocks(database),
    )
