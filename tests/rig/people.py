"""Accounts, clients and rules that tests of sign-in share; the cheapest argon2 there is."""

from service.login.accounts import Account
from service.login.attempts import Limit, Scope
from service.login.passwords import Parameters, Passwords
from service.login.sessions import Lifetimes, Session
from service.login.sign_in import Client, new_session
from service.login.stores import Stores
from service.login.verify_password import Verifier
from tests.rig.gates import Gate
from tests.rig.memory_attempts import MemoryAttempts
from tests.rig.memory_store import MemoryAccounts, MemoryAppPasswords, MemoryAudit, MemoryLinks, MemorySessions, Rows
from tests.rig.passwords import PASSWORD

NOW = 1_800_000_000
CHEAP_FOR_TESTS_ONLY = Parameters(memory_kib=8, iterations=1, parallelism=1)
PASSWORDS = Passwords(CHEAP_FOR_TESTS_ONLY)
THROTTLES = {scope: Limit(1000, 900) for scope in Scope}
KEYS = (b"a key of the tests", b"an older key")
LIFETIMES = Lifetimes(idle=100, absolute=1000, remembered_idle=5000, remembered_absolute=9000)
CLIENT = Client("192.0.2.7", "a browser")


def alice(**facts: object) -> Account:
    """Return alice, who has PASSWORD."""
    known: dict[str, object] = {
        "id": "a1",
        "username": "alice",
        "created_at": NOW - 1000,
        "password_hash": PASSWORDS.hash(PASSWORD),
    }
    return Account(**(known | facts))  # type: ignore[arg-type]


def session_of(account: Account, *, now: int = NOW, remembered: bool = False) -> Session:
    """Return a session for an account, not kept yet."""
    return new_session(account, client=CLIENT, remembered=remembered, now=now).session


def stores(rows: Rows) -> Stores:
    """Return the stores of the rules over these rows."""
    return Stores(
        accounts=MemoryAccounts(rows),
        sessions=MemorySessions(rows),
        links=MemoryLinks(rows),
        app_passwords=MemoryAppPasswords(rows),
        audit=MemoryAudit(rows),
        transaction=rows.transaction,
    )


def verifier(rows: Rows, **changed: object) -> Verifier:
    """Return what verifies passwords, with attempts in these rows and room in the gate, unless changed."""
    parts = {"gate": Gate(waiting=4), "passwords": PASSWORDS, "attempts": MemoryAttempts(rows), "throttles": THROTTLES}
    parts |= {"keys": KEYS, "service_name": "Vestibule"}
    return Verifier(**(parts | changed))  # type: ignore[arg-type]
