"""A service that is tried: real servers, and people, passwords and one-time links to be written into a ledger."""

import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from service.login.links import LIFETIME, Purpose
from service.login.links import Link as IssuedLink
from service.login.sessions import hash_of, new_token
from service.settings import load
from service.storage.accounts import SqlAccounts
from service.storage.engine.database import Database
from service.storage.links import SqlLinks
from tests.faults.checker import compare
from tests.faults.client import Client, session_of
from tests.faults.findings import Findings
from tests.faults.ledger import Ledger, Link, Secret
from tests.faults.traffic import Traffic
from tests.rig import accounts
from tests.rig.directories import give_away
from tests.rig.passwords import PASSWORD
from tests.rig.servers import Servers, prepared

PEOPLE: Final = [f"person{number}" for number in range(20)]
_CHANGERS: Final = [f"changer{number}" for number in range(6)]
_INVITED: Final = [f"invited{number}" for number in range(20)]
LEAVERS: Final = [f"leaver{number}" for number in range(20)]
UNLIMITED: Final = {
    "LIMITS__POST_PER_MINUTE": "1000000",
    "LIMITS__EDGE_POST_PER_SECOND": "100000",
    "DOOR__CACHE_SECONDS": "0",  # what has ended passes no more, at once
    **{f"THROTTLES__{name}": "1000000/15m" for name in ("NETWORK", "ACCOUNT", "ACCOUNT_FROM_NETWORK", "KNOWN_DEVICE")},
}


@dataclass
class Site:
    """The servers, a client of theirs, and the ledger."""

    servers: Servers
    client: Client
    ledger: Ledger

    def traffic(self, *, every: int = 4) -> Traffic:
        """Return traffic that has not begun; every so many sign-ins something is changed."""
        return Traffic(self.client, self.ledger, people=PEOPLE, every=every)

    def sign_in(self, username: str) -> str:
        """Sign a person in; the cookie."""
        answer = self.client.sign_in(username, PASSWORD)
        assert answer, f"{username} got no answer"
        self.ledger.opened(cookie := session_of(answer), username)
        return cookie

    def sign_some_in(self) -> None:
        """Sign some people in, so that there is something to ask for."""
        for username in PEOPLE[:8]:
            self.sign_in(username)

    @property
    def database_file(self) -> Path:
        """Where the SQLite database lies."""
        return Path(make_url(str(load(self.servers.environ).database_address)).database or "")

    def crash(self) -> None:
        """`kill -9` of all of gunicorn's processes, and a start at once, as a supervisor does it."""
        self.servers.end("gunicorn", signal.SIGKILL)
        self.servers.start_gunicorn()

    def ready(self) -> None:
        """Wait until the service says that it is ready."""
        self.servers.wait_until(lambda: self.servers.ops("/readyz").status == 200, "/readyz answers 200")

    def compare(self, findings: Findings) -> None:
        """Compare the service with the ledger, and note what was lost and what was let in."""
        compare(self.client, self.ledger)
        findings.none("acknowledged change is lost", self.ledger.lost)
        findings.none("session, password or link that ended lets a request in", self.ledger.let_in)
        findings.beside.append(f"acknowledged: {self.ledger.acknowledged}")


@contextmanager
def site(*, workers: int = 2, **settings: str) -> Iterator[Site]:
    """Yield a service that is ready, with people and a few open sessions."""
    with prepared(workers=workers, edit_nginx=unhurried, **(UNLIMITED | settings)) as servers:
        ledger = populate(servers)
        servers.start()
        service = Site(servers, Client(servers.port), ledger)
        service.sign_some_in()
        yield service


def populate(servers: Servers) -> Ledger:
    """Make the accounts, and links for some of them; the ledger that knows them."""
    names = [*PEOPLE, *_CHANGERS, *_INVITED, *LEAVERS]
    accounts.add(servers, {name: {} for name in names})
    ledger = Ledger(secrets={name: Secret(PASSWORD) for name in _CHANGERS})
    now = int(time.time())
    with closing(Database(load(servers.environ).database_address)) as database:
        for name in _INVITED:
            account, token = SqlAccounts(database).by_username(name), new_token()
            assert account
            expiry = now + LIFETIME[Purpose.RESET]
            SqlLinks(database).put(IssuedLink(hash_of(token), Purpose.RESET, account.id, expiry))
            ledger.links.append(Link(token, name, f"nine herons fold a paper map {name}"))
    give_away(servers.state_dir)
    return ledger


def unhurried(nginx_conf: str) -> str:
    """Return nginx.conf with its own limit far away: what is tried here is the service's."""
    return nginx_conf.replace("burst=40", "burst=10000")
