"""What the tests of new passwords share: an agreed password, links, and others who write meanwhile."""

from collections.abc import Callable
from dataclasses import replace

from service.hashing.fair_queue import Job
from service.hashing.gate import Result, Shed
from service.login.links import Link, Purpose, hand_out
from service.login.new_password import Typed
from service.login.sessions import hash_of
from tests.rig.gates import Gate
from tests.rig.memory_store import Rows
from tests.rig.passwords import OTHER_PASSWORD
from tests.rig.people import NOW, PASSWORDS, alice, stores

AGREED = Typed(OTHER_PASSWORD, OTHER_PASSWORD)


def link(rows: Rows, purpose: Purpose, account_id: str | None = "a1") -> Link:
    token = hand_out(purpose, account_id, links=stores(rows).links, now=NOW)
    return rows.links[hash_of(token)]


def opens(rows: Rows, password: str) -> bool:
    return PASSWORDS.check(rows.accounts["a1"].password_hash, password).matches


class Meanwhile(Gate):
    """Another request writes while a new hash is made."""

    def __init__(self, rows: Rows, then: dict[str, object] | None) -> None:
        super().__init__(threads=1, waiting=1)
        self.rows = rows
        self.accounts = {"a1": replace(alice(), **then)} if then else {}  # type: ignore[arg-type]

    def work(self, job: Job, work: Callable[[], Result]) -> Result | Shed:
        done = super().work(job, work)
        if isinstance(done, str):
            self.rows.accounts = dict(self.accounts)
        return done
