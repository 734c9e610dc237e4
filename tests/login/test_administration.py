"""What an operator does: the rules, over stores in memory."""

import ipaddress
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from service.login import administration
from service.login.accounts import Account
from service.login.administration import NewLink, Reason
from service.login.attempts import Attempt, digest_of
from service.login.audit import Entry
from service.login.links import LIFETIME, Purpose
from service.login.networks import Network
from service.login.new_account import BadDetail, new_account
from service.login.refusal import Refusal
from service.login.sessions import hash_of
from service.login.stores import Stores
from tests.rig.memory_attempts import MemoryAttempts
from tests.rig.memory_store import MemoryAccounts, MemoryAudit, Rows
from tests.rig.people import KEYS, NOW, PASSWORDS, THROTTLES, alice, session_of, stores, verifier

BY: Final = "operator root"
NETWORK: Final = ipaddress.ip_network("198.51.100.0/24")
Change = Callable[[Stores], object]

# Each change of an account by name, with the entry that it leaves in the audit trail.
CHANGES: Final[dict[str, tuple[Change, tuple[str, str]]]] = {
    "edit": (
        lambda to: administration.edit("Alice", to, by=BY, now=NOW, is_admin=True, email="a@example.test"),
        ("user_updated", "email, is_admin True"),
    ),
    "edit, administrator no longer": (
        lambda to: administration.edit("alice", to, by=BY, now=NOW, is_admin=False),
        ("user_updated", "is_admin False"),
    ),
    "delete": (lambda to: administration.delete("alice", to, by=BY, now=NOW), ("user_deleted", "")),
    "disable": (lambda to: administration.disable("alice", to, by=BY, now=NOW), ("user_updated", "disabled")),
    "offboard": (
        lambda to: administration.disable("alice", to, by=BY, now=NOW, offboard=True),
        ("user_updated", "offboarded"),
    ),
    "enable": (lambda to: administration.enable("alice", to, by=BY, now=NOW), ("user_updated", "enabled")),
    "invite": (
        lambda to: administration.make_link("alice", Purpose.INVITATION, to, by=BY, now=NOW),
        ("authn_link_created", "invitation"),
    ),
    "end_sessions_of": (
        lambda to: administration.end_sessions_of("alice", to, by=BY, now=NOW),
        ("session_expired", "sessions: 1"),
    ),
}
every_change = pytest.mark.parametrize("change", CHANGES)


@pytest.fixture
def rows() -> Rows:
    """Alice, signed in once."""
    session = session_of(alice())
    return Rows(accounts={"a1": alice(groups=("ops",))}, sessions={session.token_hash: session})


@every_change
def test_a_change_leaves_one_entry(rows: Rows, change: str) -> None:
    """The audit trail says what was changed, for whom, by which operator and when."""
    do, (event, detail) = CHANGES[change]

    assert not isinstance(do(stores(rows)), Refusal)
    assert rows.trail == [Entry(NOW, event, "alice", by=BY, detail=detail)]


@every_change
def test_an_unknown_name_is_refused(rows: Rows, change: str) -> None:
    """Nothing is changed and nothing is recorded for a name without an account."""
    rows.accounts = {}
    sessions = dict(rows.sessions)

    refused = CHANGES[change][0](stores(rows))

    assert isinstance(refused, Refusal)
    assert refused.reason is Reason.NO_ACCOUNT
    assert (rows.accounts, rows.sessions, rows.links, rows.trail) == ({}, sessions, {}, [])


class FullDisk(MemoryAudit):
    """An audit trail that cannot be written."""

    def add(self, entry: Entry) -> None:
        raise OSError(entry.event)


@every_change
def test_a_change_that_cannot_be_recorded_is_not_made(rows: Rows, change: str) -> None:
    """Change and entry are one transaction: without the entry everything stays as it was."""
    before = dict(rows.accounts), dict(rows.sessions), dict(rows.links)

    with pytest.raises(OSError, match="_"):
        CHANGES[change][0](replace(stores(rows), audit=FullDisk(rows)))

    assert (rows.accounts, rows.sessions, rows.links) == before


@pytest.mark.parametrize("change", ["edit", "delete", "disable", "offboard", "enable", "invite"])
def test_an_account_that_is_deleted_during_the_wait_is_refused(rows: Rows, change: str) -> None:
    """The account is read again once it is locked: what another transaction did in the meantime counts."""

    class DeletedMeanwhile(MemoryAccounts):
        def lock_for_update(self, account_id: str) -> Account | None:
            return rows.accounts.pop(account_id, None)

    refused = CHANGES[change][0](replace(stores(rows), accounts=DeletedMeanwhile(rows)))

    assert refused == Refusal(Reason.NO_ACCOUNT, "Alice" if change == "edit" else "alice")
    assert rows.trail == []


def test_only_free_names_are_added(rows: Rows) -> None:
    """Of several accounts those are stored whose name is free; each has an entry, and the others stay as they are."""
    made = [new_account(name, now=NOW) for name in ("bob", "ALICE", "carol")]
    accounts = [each for each in made if isinstance(each, Account)]

    added = administration.add(accounts, stores(rows), by=BY, now=NOW, detail="imported")

    assert [each.username for each in added] == ["bob", "carol"]
    assert rows.accounts["a1"] == alice(groups=("ops",), password_hash=rows.accounts["a1"].password_hash)
    assert rows.trail == [Entry(NOW, "user_created", name, by=BY, detail="imported") for name in ("bob", "carol")]


def test_a_name_that_is_taken_meanwhile_is_not_added(rows: Rows) -> None:
    """A name that another command takes between the look and the write is left to that one, without an entry."""

    class Late(MemoryAccounts):
        def by_username(self, username: str) -> Account | None:  # noqa: ARG002 - sees nothing yet
            return None

        def add(self, account: Account) -> None:
            MemoryAccounts(rows).add(account)

    added = administration.add([alice(id="b")], replace(stores(rows), accounts=Late(rows)), by=BY, now=NOW)

    assert (added, list(rows.accounts), rows.trail) == ([], ["a1"], [])


def test_a_bad_detail_changes_nothing(rows: Rows) -> None:
    """An edit with one impossible detail is refused as a whole."""
    refused = administration.edit("alice", stores(rows), by=BY, now=NOW, is_admin=True, groups=("a b",))

    assert refused == Refusal(BadDetail.GROUP, "a b")
    assert (rows.accounts["a1"].is_admin, rows.trail) == (False, [])


def test_a_link_is_for_an_account_that_is_enabled(rows: Rows) -> None:
    """The token opens the stored link, which lives as long as its purpose says; a disabled account gets none."""
    made = administration.make_link("alice", Purpose.RESET, stores(rows), by=BY, now=NOW)
    rows.accounts["a1"] = alice(disabled_at=NOW)

    assert isinstance(made, NewLink)
    assert rows.links[hash_of(made.token)].expires_at == made.expires_at == NOW + LIFETIME[Purpose.RESET]
    assert administration.make_link("alice", Purpose.RESET, stores(rows), by=BY, now=NOW) == Refusal(
        Reason.DISABLED, "alice"
    )


def test_the_set_up_link_is_for_the_first_administrator(rows: Rows) -> None:
    """It belongs to no account, and is refused once there is an administrator."""
    made = administration.make_set_up_link(stores(rows), by=BY, now=NOW)
    rows.accounts["a1"] = alice(is_admin=True)

    assert isinstance(made, NewLink)
    assert (made.account, made.purpose) == (None, Purpose.SET_UP)
    assert administration.make_set_up_link(stores(rows), by=BY, now=NOW) == Refusal(Reason.HAS_ADMINISTRATOR)
    assert rows.trail == [Entry(NOW, "authn_link_created", by=BY, detail="set-up")]


def test_one_session_ends(rows: Rows) -> None:
    """By its public id, once; a second time there is none."""
    (session,) = rows.sessions.values()
    ended = [administration.end_session(session.id, stores(rows), by=BY, now=NOW) for _ in range(2)]

    assert ended == [1, Refusal(Reason.NO_SESSION, session.id)]
    assert rows.trail == [Entry(NOW, "session_expired", by=BY, detail=session.id)]


def test_all_sessions_end(rows: Rows) -> None:
    """Every session ends, with one entry, which is written first."""
    assert administration.end_all_sessions(stores(rows), by=BY, now=NOW) == 1
    assert (rows.sessions, [entry.detail for entry in rows.trail]) == ({}, ["every session"])


@pytest.mark.parametrize(
    ("of", "left", "entry"),
    [
        (alice(), ["198.51.100.9/32", "unknown"], ("alice", "")),
        (NETWORK, ["192.0.2.7/32", "unknown"], ("", "198.51.100.0/24")),
        (None, [], ("", "all attempts")),
    ],
    ids=["at an account", "from a network", "all"],
)
def test_attempts_are_cleared(
    rows: Rows, of: Account | Network | None, left: list[str], entry: tuple[str, str]
) -> None:
    """Those at an account, from a network, or all are cleared and recorded; the others still count."""
    kept = MemoryAttempts(rows)
    for name, network in (("alice", "192.0.2.7/32"), ("bob", "198.51.100.9/32"), ("bob", "unknown")):
        kept.reserve(Attempt(digest_of(name, KEYS[0]), name, network), THROTTLES, now=NOW)

    cleared = administration.clear_attempts(of, verifier(rows, attempts=kept), MemoryAudit(rows), by=BY, now=NOW)

    assert sorted(each.network for _, each in rows.attempts.values()) == left
    assert cleared == 3 - len(left)
    assert [(each.event, each.account, each.detail) for each in rows.trail] == [("authn_login_unlock", *entry)]


def test_an_edit_keeps_the_password(rows: Rows) -> None:
    """No detail of an account touches its password."""
    administration.edit("alice", stores(rows), by=BY, now=NOW, display_name="Alice")

    assert PASSWORDS.check(rows.accounts["a1"].password_hash, "seven otters paint a lighthouse").matches
