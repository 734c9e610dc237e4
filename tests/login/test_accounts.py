"""How accounts and groups may be called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.login.accounts import canonical_group, canonical_username


@pytest.mark.parametrize("spelling", ["alice", "Alice", "ALICE", "ａlice", "ⓐlice", "ᴬlice", " alice ", "alice\u00a0"])
def test_spellings_of_one_name_are_one_account(spelling: str) -> None:
    """Case, compatibility forms and outer blanks name the same account."""
    assert canonical_username(spelling) == "alice"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-alice",
        ".alice",
        "al ice",
        "alice\x00",
        "alice\nbob",
        "ali,ce",
        "älice",
        "ıan",
        "İan",
        "a" * 65,
        "ali\u200dce",
    ],
)
def test_what_cannot_be_a_username_is_refused(text: str) -> None:
    """Nothing outside the fixed alphabet becomes a name: it goes into headers and log lines."""
    assert canonical_username(text) is None


def test_compatibility_characters_fold_to_what_they_stand_for() -> None:
    """The Kelvin sign, sharp s and ligatures are the letters that they stand for."""
    assert [canonical_username(t) for t in ("\u212aim", "straße", "\ufb00ion")] == ["kim", "strasse", "ffion"]


@given(st.text(max_size=80))
def test_canonical_form_is_stable(text: str) -> None:
    """Canonical applied twice is canonical applied once, for any text whatever."""
    once = canonical_username(text)

    assert once is None or canonical_username(once) == once


def test_groups_have_one_spelling() -> None:
    """A group is lower case ASCII without blanks or commas, or refused."""
    assert [canonical_group(g) for g in (" Ops", "a.b-c_d", "a,b", "", "a b")] == ["ops", "a.b-c_d", None, None, None]
