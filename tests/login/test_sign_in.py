"""A sign-in, over stores in memory."""

from dataclasses import replace

import pytest

from service.login import device_cookies
from service.login.accounts import Account
from service.login.audit import FROM_KNOWN_DEVICE
from service.login.passwords import Parameters, Passwords
from service.login.sessions import hash_of
from service.login.sign_in import Opened, Reason, Refused, open_session, with_password
from service.login.stored_hash import hash_flaw
from tests.rig.gates import full_gate
from tests.rig.memory_store import MemoryAccounts, Rows
from tests.rig.passwords import PASSWORD
from tests.rig.people import CLIENT, KEYS, LIFETIMES, NOW, alice, session_of, stores, verifier


def attempt(
    rows: Rows, username: str, password: str, *, accounts: MemoryAccounts | None = None, **changed: object
) -> Account | Refused:
    return with_password(
        username=username,
        password=password,
        client=CLIENT,
        stores=replace(stores(rows), accounts=accounts or MemoryAccounts(rows)),
        verifier=verifier(rows, **changed),
        now=NOW,
    ).outcome


def opened(rows: Rows, *, replaces: bytes | None = None, account: Account | None = None) -> Opened | Refused:
    return open_session(
        account or rows.accounts["a1"],
        client=CLIENT,
        remembered=False,
        replaces=replaces,
        stores=stores(rows),
        lifetimes=LIFETIMES,
        now=NOW,
    )


@pytest.fixture
def rows() -> Rows:
    return Rows(accounts={"a1": alice()})


def test_the_right_password_is_granted(rows: Rows) -> None:
    """Any spelling of the name, with the right password, is its account."""
    assert attempt(rows, " ALICE", PASSWORD) == rows.accounts["a1"]


@pytest.mark.parametrize(
    ("username", "password", "expected"),
    [
        ("alice", "wrong", Refused(Reason.WRONG_PASSWORD, "alice")),
        ("nobody", PASSWORD, Refused(Reason.UNKNOWN)),
        ("no\x00body", PASSWORD, Refused(Reason.UNKNOWN)),
        ("", "", Refused(Reason.UNKNOWN)),
    ],
)
def test_everything_else_is_refused(rows: Rows, username: str, password: str, expected: Refused) -> None:
    """The reason is for the log; a username without an account is not repeated in it."""
    assert attempt(rows, username, password) == expected


def test_a_refusal_from_a_known_device_says_so(rows: Rows) -> None:
    """In the trail, for no attacker has a device cookie: whether people get in no more is seen from these."""
    cookie = device_cookies.issue(rows.accounts["a1"], "", keys=KEYS, now=NOW)
    for device_cookie in ("", cookie):
        client = replace(CLIENT, device_cookie=device_cookie)
        with_password(
            username="alice",
            password="wrong",
            client=client,
            stores=stores(rows),
            verifier=verifier(rows),
            now=NOW,
        )

    assert [entry.detail for entry in rows.trail] == ["", FROM_KNOWN_DEVICE]


def test_a_stored_hash_that_cannot_be_checked_is_refused_with_the_reason() -> None:
    """The account's owner is refused as with a wrong password, and the reason names the flaw of the hash."""
    kept = "$argon2id$v=19$m=8,t=1000000,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"
    broken = Rows(accounts={"a1": alice(password_hash=kept)})

    assert attempt(broken, "alice", PASSWORD) == Refused(Reason.UNUSABLE_HASH, "alice", flaw=hash_flaw(kept))
    assert broken.accounts["a1"].password_hash == kept


def test_a_disabled_account_is_refused_with_the_right_password() -> None:
    """With a disabled account no password is right."""
    assert attempt(Rows(accounts={"a1": alice(disabled_at=NOW)}), "alice", PASSWORD) == Refused(
        Reason.DISABLED, "alice"
    )


def test_an_invited_account_has_no_password_yet() -> None:
    """Without a password no password is right."""
    outcome = attempt(Rows(accounts={"a1": alice(password_hash=None)}), "alice", PASSWORD)

    assert outcome == Refused(Reason.WRONG_PASSWORD, "alice")


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_a_full_gate_is_said_and_nothing_is_checked(rows: Rows, name: str) -> None:
    """Without a place in the queue the answer is busy, for known and unknown usernames."""
    outcome = attempt(rows, name, PASSWORD, gate=full_gate())

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.BUSY


def test_a_hash_of_old_parameters_is_renewed(rows: Rows) -> None:
    """Signing in with a right password leaves a hash of today's parameters."""
    today = Passwords(Parameters(memory_kib=16, iterations=2, parallelism=1))

    outcome = attempt(rows, "alice", PASSWORD, passwords=today)

    assert today.check(rows.accounts["a1"].password_hash, PASSWORD).new_hash is None
    assert outcome == rows.accounts["a1"]


def test_a_hash_that_was_renewed_meanwhile_is_judged_anew(rows: Rows) -> None:
    """Of two clicks with an outdated hash both are right: the second verifies the hash that the first one stored."""
    today = Passwords(Parameters(memory_kib=16, iterations=2, parallelism=1))

    class Slow(MemoryAccounts):
        def rehash_password(self, account_id: str, *, old: str, new: str) -> bool:
            super().rehash_password(account_id, old=old, new=today.hash(PASSWORD))  # the other click was faster
            return super().rehash_password(account_id, old=old, new=new)

    outcome = attempt(rows, "alice", PASSWORD, passwords=today, accounts=Slow(rows))

    assert outcome == rows.accounts["a1"]


def test_a_session_is_kept_under_the_hash_of_its_token(rows: Rows) -> None:
    """The stored hash is not the token of the cookie."""
    outcome = opened(rows)

    assert isinstance(outcome, Opened)
    assert rows.sessions == {hash_of(outcome.token): outcome.session}


def test_the_browsers_old_session_ends_with_a_new_one(rows: Rows) -> None:
    """Signing in again leaves one session, under a new token."""
    first = opened(rows)
    assert isinstance(first, Opened)

    second = opened(rows, replaces=first.session.token_hash)

    assert isinstance(second, Opened)
    assert list(rows.sessions) == [second.session.token_hash]


@pytest.mark.parametrize("change", [{"disabled_at": NOW}, {"password_hash": "another"}])
def test_a_change_meanwhile_leaves_no_session(rows: Rows, change: dict[str, object]) -> None:
    """An account that is disabled, or whose password is changed, during the check gets no session."""
    checked = rows.accounts["a1"]
    rows.accounts["a1"] = replace(checked, **change)  # type: ignore[arg-type]

    outcome = opened(rows, account=checked)

    assert outcome == Refused(Reason.CHANGED, "alice")
    assert rows.sessions == {}


def test_an_account_deleted_meanwhile_leaves_no_session(rows: Rows) -> None:
    """A session needs an account to belong to."""
    checked = rows.accounts.pop("a1")

    assert opened(rows, account=checked) == Refused(Reason.CHANGED, "alice")


def test_a_new_session_deletes_expired_ones(rows: Rows) -> None:
    """Rows do not pile up, though nothing runs in the background."""
    for age in range(20):
        dead = session_of(alice(), now=NOW - 10_000 - age)
        rows.sessions[dead.token_hash] = dead

    opened(rows)
    opened(rows)

    assert len(rows.sessions) == 2
