"""The templates, rendered by Jinja without an app: what holds for every page."""

import re

import pytest
from markupsafe import Markup

from tests.web.rendered import APP, BRAND, LOOK, NASTY, PROBLEM, STATES, Page, state

every_state = pytest.mark.parametrize("name", STATES)
CREDENTIALS = {"username", "current-password", "new-password", "off"}


def test_every_page_is_looked_at_here() -> None:
    """Each template of a page is in the table of states; base.html and parts.html are parts of all of them."""
    templates = {path.name for path in (LOOK / "templates").glob("*.html")}

    assert {template for template, _ in STATES.values()} == templates - {"base.html", "parts.html"}


@every_state
def test_a_page_says_what_it_is(name: str) -> None:
    """The language, the width, one heading, one main part, and a title that ends in the brand's name."""
    page = state(name)

    assert page.all("html")[0].attributes == {"lang": "en"}
    assert any(meta.attributes.get("name") == "viewport" for meta in page.all("meta"))
    assert [len(page.all("h1")), len(page.all("main")), len(page.all("title"))] == [1, 1, 1]
    assert page.all("title")[0].text.endswith(f" – {BRAND['name']}")


@every_state
def test_a_page_needs_no_script_and_no_inline_style(name: str) -> None:
    """What the content security policy would block is not there to begin with."""
    page = state(name)
    attributes = {attribute for element in page.elements for attribute in element.attributes}

    assert page.all("script", "style", "iframe", "object", "base") == []
    assert {attribute for attribute in attributes if attribute == "style" or attribute.startswith("on")} == set()


@every_state
def test_a_page_leads_nowhere_else(name: str) -> None:
    """Every address on a page is a path on this host, that of an app, or empty: the one that was asked for."""
    addresses = [
        value
        for element in state(name).elements
        for attribute, value in element.attributes.items()
        if attribute in {"href", "src", "action", "srcset", "poster", "formaction", "xlink:href"}
    ]

    foreign = {address for address in addresses if address and not re.match(r"/(?!/)", address)}
    assert foreign <= {APP.url}


@every_state
def test_nothing_that_was_typed_becomes_markup(name: str) -> None:
    """A name, a notice or a token full of markup is shown as text."""
    assert NASTY not in state(name).source


@every_state
def test_fields_have_labels(name: str) -> None:
    """Each field that can be seen has a label of its own, ids are unique, and what a field refers to exists."""
    page = state(name)
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    labelled = [label.attributes["for"] for label in page.all("label")]
    described = " ".join(element.attributes.get("aria-describedby", "") for element in page.elements).split()

    assert sorted(labelled) == sorted(field.attributes["id"] for field in page.fields())
    assert len(ids) == len(set(ids))
    assert set(described) <= set(ids)


@every_state
def test_fields_suit_password_managers(name: str) -> None:
    """Each text field says what it holds; passwords are hidden, never sent back, never cut short."""
    fields = [
        field.attributes for field in state(name).fields() if field.attributes.get("type", "checkbox") != "checkbox"
    ]
    passwords = [field for field in fields if field["type"] == "password"]

    assert {field["autocomplete"] for field in fields} <= CREDENTIALS
    assert all((field["type"] == "password") == field["autocomplete"].endswith("password") for field in fields)
    assert [field for field in passwords if "value" in field] == []
    assert [field for field in fields if {"maxlength", "placeholder", "pattern"} & field.keys()] == []


def test_signing_in_asks_for_a_name_and_a_password() -> None:
    """The form's fields are those that the service reads, and managers know both."""
    fields = state("sign in").fields()

    assert [field.attributes["name"] for field in fields] == ["username", "password", "remember"]
    assert [field.attributes.get("autocomplete") for field in fields] == ["username", "current-password", None]


@pytest.mark.parametrize("name", ["change password", "invitation", "reset"])
def test_managers_learn_whose_password_it_is(name: str) -> None:
    """Where a password is chosen for a known account its name stands in the form, unchangeable and never sent."""
    field = state(name).by_id("username").attributes

    assert (field["autocomplete"], field["value"]) == ("username", "anna")
    assert "readonly" in field
    assert "name" not in field


@pytest.mark.parametrize("name", ["sign in, refused", "change password, refused", "set up, refused", "reset, refused"])
def test_a_problem_is_said_aloud(name: str) -> None:
    """A problem is an alert, opens the title, and describes every field that it may be about."""
    page = state(name)
    wrong = [field.attributes for field in page.fields() if "aria-invalid" in field.attributes]

    assert page.by_id("problem").attributes["role"] == "alert"
    assert PROBLEM in page.source
    assert page.all("title")[0].text.startswith("Problem: ")
    assert len(wrong) >= 2
    assert all("problem" in field["aria-describedby"].split() for field in wrong)


@pytest.mark.parametrize(
    ("name", "field"),
    [("change password, refused", field) for field in ("current", "password", "repeat")]
    + [("set up, refused", field) for field in ("username", "password", "repeat")]
    + [("new app password, refused", field) for field in ("name", "current")],
)
def test_a_problem_of_one_field_is_shown_there(name: str, field: str) -> None:
    """With `problem_field` only that field is marked."""
    page = state(name, problem_field=field)

    assert [f.attributes["id"] for f in page.fields() if "aria-invalid" in f.attributes] == [field]


@every_state
def test_one_field_at_most_takes_the_focus(name: str) -> None:
    """The cursor is where typing starts, and only there."""
    assert sum("autofocus" in element.attributes for element in state(name).elements) <= 1


def test_the_cursor_waits_where_it_is_needed() -> None:
    """At the name on the first visit, at the password when the name is there already."""
    assert "autofocus" in state("sign in").by_id("username").attributes
    assert "autofocus" in state("sign in", username="anna").by_id("password").attributes


def test_what_was_typed_comes_back() -> None:
    """A refused form keeps the name, the choice to stay, and where to go; the password is gone."""
    page = state("sign in, refused")
    (hidden,) = [field.attributes for field in page.all("input") if field.attributes["type"] == "hidden"]

    assert page.by_id("username").attributes["value"] == NASTY
    assert "checked" in page.by_id("remember").attributes
    assert (hidden["name"], hidden["value"]) == ("rd", NASTY)
    assert "value" not in page.by_id("password").attributes


def test_a_notice_is_calm() -> None:
    """A notice is a status, not an alert."""
    roles = [element.attributes.get("role") for element in state("sign in, noticed").elements]

    assert "status" in roles
    assert "alert" not in roles


def test_sixty_groups_do_not_bury_the_way_out() -> None:
    """All groups are on the page; most of them are folded away."""
    page = state("account, crowded", apps=[])

    assert [item.text for item in page.all("li")] == [f"group-{n}" for n in range(60)]
    assert page.all("summary")[0].text == "and 50 more"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "just now"), (60, "1 minute ago"), (3599, "59 minutes ago"), (3600, "1 hour ago"), (172800, "2 days ago")],
)
def test_how_long_signed_in(seconds: int, words: str) -> None:
    """The account page says how long this session has been going."""
    assert words in state("account", now=seconds).source


def test_coming_back_later() -> None:
    """A throttled user reads when to try again, and the request's id."""
    page = state("throttled")

    assert "Please try again <strong>in 40 seconds</strong>." in page.source
    assert page.all("code")[0].text == "5f2c"
    assert [link.text for link in page.all("a")] == ["Try again"]


def test_nginx_fills_in_the_request_id() -> None:
    """The error page takes markup for the request id, so that its static form can carry an SSI command."""
    command = Markup('<!--# echo var="request_id" -->')

    assert f"<code>{command}</code>" in state("not found", request_id=command).source


def test_a_logo_takes_the_place_of_our_mark() -> None:
    """An operator's logo is shown instead of the arch, and the name beside it is its text."""
    with_logo = state("sign in", brand={"name": "Halle", "logo_url": "/static/0a1b2c3d/logo.png"})

    assert [image.attributes for image in with_logo.all("img")] == [{"src": "/static/0a1b2c3d/logo.png", "alt": ""}]
    assert with_logo.all("svg") == []
    assert len(state("sign in").all("svg")) == 1


def test_links_and_forms_lead_to_pages_that_exist() -> None:
    """The pages know each other only by these paths."""
    pages: list[Page] = [state(name) for name in STATES]
    addresses = {e.attributes.get("href", e.attributes.get("action", "")) for p in pages for e in p.all("a", "form")}
    addresses.remove(APP.url)

    assert {each.partition("?")[0] for each in addresses} == {
        "",
        "/",
        "/account",
        "/account/app-passwords",
        "/account/app-passwords/new",
        "/account/password",
        "/logout",
        "/setup",
    }
