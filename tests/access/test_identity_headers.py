"""The identity headers: which no client may send, and their values."""

import string

from hypothesis import given
from hypothesis import strategies as st

from service.access.identity_headers import DEFAULT, STRIPPED, IdentityHeaders, removed, values
from tests.rig.people import alice


def test_every_name_is_removed_once() -> None:
    """The app's own names and all that other apps believe; another spelling of one is the same header."""
    names = removed(IdentityHeaders("X-Staff-Name", "x-email", "REMOTE-EMAIL", "X-Staff-Groups"))

    assert len(names) == len({name.lower() for name in names})
    assert {name.lower() for name in names} >= {name.lower() for name in (*STRIPPED, "X-Staff-Name", "X-Staff-Groups")}


def test_the_usual_names_are_among_those_that_no_client_may_send() -> None:
    """An app that reads them in place of its own is told nothing by a client."""
    assert {*removed(DEFAULT)} >= {*STRIPPED}


def test_without_an_account_all_values_are_empty() -> None:
    """They are sent all the same, so that none of a client's own is left."""
    assert values(None) == ("", "", "", "")


@given(st.text(), st.text())
def test_values_fit_into_a_header(display_name: str, email: str) -> None:
    """Printable ASCII, whatever an account is called: no line ends in the middle, and nothing is lost."""
    account = alice(display_name=display_name, email=email, groups=("ops", "staff"))

    found = values(account)

    assert (found[0], found[3]) == ("alice", "ops,staff")
    assert {*"".join(found)} <= {*string.ascii_letters, *string.digits, *string.punctuation, " "}
