"""Accounts, made in this process before servers start: a command for each would start Python anew."""

import time
import uuid
from collections.abc import Mapping
from contextlib import closing

from service.login.accounts import Account
from service.login.new_account import Details
from service.login.passwords import Parameters, Passwords
from service.settings import load
from service.storage.accounts import SqlAccounts
from service.storage.engine.database import Database
from service.storage.upkeep import schema
from tests.rig.directories import give_away
from tests.rig.passwords import PASSWORD
from tests.rig.servers import Servers


def add(servers: Servers, people: Mapping[str, Details]) -> None:
    """Make the database's tables, and an account for each username. All share one password."""
    settings, now = load(servers.environ), int(time.time())
    cost = settings.passwords
    hashed = Passwords(Parameters(cost.memory, cost.iterations, cost.parallelism)).hash(PASSWORD)
    with closing(Database(settings.database_address)) as database:
        schema.upgrade(database, backups=settings.state_dir / "backups", now=now)
        for name, details in people.items():
            account = Account(uuid.uuid4().hex, name, now, password_hash=hashed, password_changed_at=now, **details)
            SqlAccounts(database).add(account)
    give_away(servers.state_dir)
