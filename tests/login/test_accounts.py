"""How accounts and groups may be called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.login.accounts import canonical_group, canonical_username, folded_username


@pytest.mark.parametrize("spelling", ["alice", "Alice", "ALICE", "ａlice", "ⓐlice", "ᴬlice", " alice ", "alice\u00a0"])
def test_spellings_of_one_name_are_one_account(spelling: str) -> None:
    """Case, compatibility forms and outer blanks name the same account."""
    assert canonical_username(spelling) == "alice"


@pytest.mark.parametrize("name", ["a.nna_m-k@example.org", "o'brien", "anna+shop@example.org", "7", "a" * 64])
def test_addresses_of_mail_are_names(name: str) -> None:
    """Everything that is common in addresses is allowed: a name may be one."""
    assert canonical_username(name) == name


def test_white_space_around_a_name_is_forgiven_up_to_a_length() -> None:
    """Text of four times the longest name is still read; what is longer is refused before it is normalised."""
    assert canonical_username(" " * 251 + "alice") == "alice"
    assert canonical_username(" " * 252 + "alice") is None
    assert folded_username("Ä" * 256) == "ä" * 256
    assert folded_username("Ä" * 257) == "Ä" * 257


@pytest.mark.parametrize(
    "text",
    [
        "",
        "'alice",
        "+alice",
        "alice’s",
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
