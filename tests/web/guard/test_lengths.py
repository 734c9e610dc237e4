"""What a client can make long is cut or refused by its length before it is read: it costs no more than usual."""

import pytest
from flask.testing import FlaskClient

from service.login.passwords import LONGEST_TYPED
from service.web.front import LONGEST_ACCEPT, MAXIMUM_ODD_ESCAPES
from tests.rig.passwords import PASSWORD
from tests.rig.people import alice
from tests.rig.world import World, browser

FORM = {"username": "alice", "password": PASSWORD}


@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize(
    "text", ["\u0301\u0327" * 1300, " " * 1000 + "alice", "x" * 15_000], ids=["marks", "blanks", "long"]
)
def test_a_long_name_or_password_is_a_wrong_one(client: FlaskClient, field: str, text: str) -> None:
    """It is refused like any other, and the attempt counts (UN-01, SZ-05)."""
    assert client.post("/", data=FORM | {field: text}).status_code == 401


def test_a_long_accept_header_counts_as_not_sent(client: FlaskClient) -> None:
    """Up to the bound it is read; beyond it, the client gets the page."""
    json = "application/json" + " " * (LONGEST_ACCEPT - 16)

    read = client.get("/nowhere", headers={"Accept": json})
    not_read = client.get("/nowhere", headers={"Accept": json + " "})

    assert (read.mimetype, not_read.mimetype) == ("application/json", "text/html")


def test_a_content_type_with_many_parameters_is_refused(client: FlaskClient) -> None:
    """Only `charset` means anything, and there is room for it (415)."""
    kind = "application/x-www-form-urlencoded"

    statuses = [
        client.post("/", data="username=alice", content_type=f"{kind};{parameters}").status_code
        for parameters in (" charset=utf-8", "a=b;" * 1000)
    ]

    assert statuses == [401, 415]


@pytest.mark.parametrize(("parameters", "is_read"), [(20, True), (21, False)])
def test_a_query_string_with_many_parameters_counts_as_not_sent(
    client: FlaskClient, parameters: int, *, is_read: bool
) -> None:
    """As many as a form may have fields are read; with more, the page is the one without any."""
    page = client.get("/?" + "&".join(["rd=/account/password", *["a=1"] * (parameters - 1)]))

    assert page.status_code == 200
    assert ('value="/account/password"' in page.get_data(as_text=True)) is is_read


@pytest.mark.parametrize("escape", ["%", "%z", "%ff", "%c3%a9"])
@pytest.mark.parametrize("is_read", [True, False])
def test_a_query_string_of_escapes_that_no_page_reads_counts_as_not_sent(
    client: FlaskClient, escape: str, *, is_read: bool
) -> None:
    """A few are read past; with more than any link has, the page is the one without parameters."""
    odd = escape * (MAXIMUM_ODD_ESCAPES // escape.count("%") + (not is_read))

    page = client.get("/", query_string=f"rd=/account/password&a={odd}")

    assert page.status_code == 200
    assert ('value="/account/password"' in page.get_data(as_text=True)) is is_read


@pytest.mark.parametrize(("signs", "status"), [(LONGEST_TYPED, 401), (LONGEST_TYPED + 1, 400)])
def test_a_form_with_more_broken_escapes_than_a_password_has_characters_is_refused(
    client: FlaskClient, signs: int, status: int
) -> None:
    """A password of signs that a program did not encode is a wrong one; more of them are no form."""
    body = "username=alice&password=" + "%" * signs

    answer = client.post("/", data=body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == status


def test_a_name_with_an_apostrophe_is_shown_as_text(world: World) -> None:
    """What is allowed in addresses of mail ends no attribute of a page, and signs in."""
    name = "o'brien+x@example.org"
    world.rows.accounts["a1"] = alice(username=name)
    client = browser(world.app())

    wrong = client.post("/", data={"username": name, "password": "wrong"}).get_data(as_text=True)

    assert 'value="o&#39;brien+x@example.org"' in wrong
    assert client.post("/", data={"username": name, "password": PASSWORD}).status_code == 303
    assert "o&#39;brien+x@example.org" in client.get("/account").get_data(as_text=True)
