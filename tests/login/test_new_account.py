"""New accounts and changed details: which are accepted, and how they are spelled."""

from typing import Final

import pytest

from service.login.accounts import Account
from service.login.administration import Reason
from service.login.new_account import BadDetail, Details, new_account, with_details
from service.login.refusal import Refusal
from tests.rig.people import NOW, alice


def test_details_have_one_spelling() -> None:
    """Groups are folded, sorted and named once; the username is canonical; there is no password yet."""
    made = new_account("ＢＯＢ", now=NOW, groups=("Ops", "all", "ops"), email="b@example.test", display_name="Bob 鈴木")

    assert isinstance(made, Account)
    assert (made.username, made.groups, made.created_at, made.password_hash) == ("bob", ("all", "ops"), NOW, None)


BAD: Final[dict[BadDetail, list[Details]]] = {
    BadDetail.EMAIL: [{"email": "nobody"}, {"email": "a b@c"}, {"email": "é@c"}, {"email": "a@" + "x" * 200}],
    BadDetail.DISPLAY_NAME: [{"display_name": text} for text in ("two\nlines", "\x1b[31m", "\udcff", "x" * 201)],
    BadDetail.GROUP: [{"groups": (text,)} for text in ("", "a b", "a,b", "x" * 65)],
}


@pytest.mark.parametrize(("reason", "details"), [(reason, each) for reason in BAD for each in BAD[reason]], ids=ascii)
def test_a_bad_detail_is_refused_everywhere(reason: BadDetail, details: Details) -> None:
    """What no account may have is refused of a new one and of an edited one alike."""
    for refused in (new_account("bob", now=NOW, **details), with_details(alice(), **details)):
        assert isinstance(refused, Refusal)
        assert refused.reason is reason


def test_a_refusal_is_a_sentence() -> None:
    """What it is about stands in it, quoted where a client typed it, and cut where it is long."""
    refused = new_account("two words " * 50, now=NOW)

    assert isinstance(refused, Refusal)
    assert str(refused).startswith("'two words two words ")
    assert len(str(refused)) < 200
    assert str(Refusal(Reason.DISABLED, "alice")) == "alice is disabled, so a link would not work."
