"""Disabling and offboarding an account: what ends and stays ended; and which account is the last administrator."""

from dataclasses import replace
from typing import Final

import pytest

from service.login import administration, device_cookies
from service.login.administration import Disabled
from service.login.app_passwords import new_app_password
from service.login.links import Purpose
from tests.rig.memory_store import Rows
from tests.rig.people import KEYS, NOW, alice, session_of, stores

BY: Final = "operator root"


@pytest.fixture
def rows() -> Rows:
    """Alice, signed in once, with an app password."""
    session = session_of(alice())
    _, phone = new_app_password("a1", name="phone", apps=("wiki",), ends_at=None, now=NOW)
    return Rows(
        accounts={"a1": alice(groups=("ops",))},
        sessions={session.token_hash: session},
        app_passwords={phone.token_hash: phone},
    )


def test_disabling_ends_sessions_and_links(rows: Rows) -> None:
    """Nor app passwords: enabling the account brings none of these back. Device cookies stay valid."""
    administration.make_link("alice", Purpose.RESET, stores(rows), by=BY, now=NOW)

    disabled = administration.disable("alice", stores(rows), by=BY, now=NOW)
    enabled = administration.enable("alice", stores(rows), by=BY, now=NOW)

    assert disabled == Disabled(replace(rows.accounts["a1"], disabled_at=NOW), 1, 1, 1)
    assert enabled == rows.accounts["a1"]
    assert (rows.accounts["a1"].disabled_at, rows.sessions, rows.links, rows.app_passwords) == (None, {}, {}, {})


def test_offboarding_ends_device_cookies_too(rows: Rows) -> None:
    """Enabling the account brings back nothing that ended, nor a device cookie; a new sign-in makes a known device."""
    administration.make_link("alice", Purpose.RESET, stores(rows), by=BY, now=NOW)
    cookie = device_cookies.issue(rows.accounts["a1"], "", keys=KEYS, now=NOW)

    offboarded = administration.disable("alice", stores(rows), by=BY, now=NOW, offboard=True)
    administration.enable("alice", stores(rows), by=BY, now=NOW)

    account = rows.accounts["a1"]
    assert offboarded == Disabled(replace(account, disabled_at=NOW), 1, 1, 1)
    assert (account.disabled_at, rows.sessions, rows.links, rows.app_passwords) == (None, {}, {}, {})
    assert device_cookies.verify(cookie, account, keys=KEYS, now=NOW + 1) is None
    again = device_cookies.issue(account, cookie, keys=KEYS, now=NOW + 1)
    assert device_cookies.verify(again, account, keys=KEYS, now=NOW + 1)


@pytest.mark.parametrize(
    ("mine", "other", "last"),
    [
        ({"is_admin": True}, {"is_admin": False}, True),
        ({"is_admin": True}, {"is_admin": True, "disabled_at": NOW}, True),
        ({"is_admin": True}, {"is_admin": True}, False),
        ({"is_admin": True, "disabled_at": NOW}, {"is_admin": False}, False),
        ({"is_admin": False}, {"is_admin": False}, False),
    ],
)
def test_the_last_administrator(mine: dict[str, object], other: dict[str, object], *, last: bool) -> None:
    """It is the one account without which no administrator is left who is not disabled."""
    rows = Rows(accounts={"a1": alice(**mine), "b": alice(id="b", username="bob", **other)})

    assert administration.is_last_administrator(rows.accounts["a1"], stores(rows).accounts) is last
