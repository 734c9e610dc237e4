"""The first page: light, reachable by keyboard, and honest about what is wrong."""

from typing import Final

import pytest
from playwright.sync_api import Request

from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.servers import Servers
from tests.stories.conftest import Visit
from tests.stories.visitor import Visitor

FIRST_VISIT_BYTES: Final = 30_000


def test_a_first_visit_is_light(house: Servers, visit: Visit) -> None:
    """Page, style, theme and icon, headers included, are under 30 kB."""
    visitor = visit(house)
    arrived: list[int] = []
    visitor.context.on("requestfinished", lambda request: arrived.append(_bytes(request)))

    with visitor.context.expect_event("requestfinished", lambda request: request.url.endswith(".svg")):
        visitor.open("/")

    assert len(arrived) == 4
    assert sum(arrived) < FIRST_VISIT_BYTES


def _bytes(request: Request) -> int:
    size = request.sizes()
    return size["responseHeadersSize"] + size["responseBodySize"]


def test_a_second_visit_asks_for_the_page_alone(house: Servers, visit: Visit) -> None:
    """What never changes under its address is not asked for again."""
    visitor = visit(house)
    visitor.open("/")

    visitor.open("/nowhere")

    sheets = "performance.getEntriesByType('resource').filter(file => file.name.endsWith('.css'))"
    assert visitor.page.evaluate(f"{sheets}.map(file => file.transferSize)") == [0, 0]


def test_signing_in_and_out_by_keyboard(house: Servers, visit: Visit) -> None:
    """Name, Tab, password, Tab, Space, Tab, Enter: in; and the same keys lead out again. The focus can be seen."""
    anna = visit(house)
    keyboard = anna.open("/").page.keyboard

    assert anna.focus == "username"  # a browser puts the cursor there with the first picture, after the page is loaded
    keyboard.type("anna")
    keyboard.press("Tab")
    keyboard.type(PASSWORD)
    keyboard.press("Tab")
    assert _focus_shows(anna)
    keyboard.press("Space")
    assert anna.page.get_by_label("Stay signed in").is_checked()
    keyboard.press("Tab")
    assert _focus_shows(anna)
    assert anna.hit("Enter").heading == "Anna Example"
    assert "staying signed in" in anna.text
    while anna.page.locator(":focus").all_inner_texts() != ["Sign out"]:  # behind links to apps, and two of the account
        keyboard.press("Tab")
        assert _focus_shows(anna)
    assert anna.hit("Enter").notice == "You are signed out."


def _focus_shows(visitor: Visitor) -> bool:
    style = visitor.page.locator(":focus").evaluate("element => getComputedStyle(element).outline")
    return "solid" in style and "0px" not in style.split()


def test_enter_in_a_field_signs_in(house: Servers, visit: Visit) -> None:
    """Enter in the password sends the form."""
    anna = visit(house)

    assert anna.open("/").fill(Username="anna", Password=PASSWORD).hit("Enter").heading == "Anna Example"


def test_the_cursor_is_where_typing_goes_on(house: Servers, visit: Visit) -> None:
    """At the name at first, at the password after a refusal, and at the field that a problem is about."""
    anna = visit(house)

    assert anna.open("/").focus == "username"
    assert anna.sign_in("anna", OTHER_PASSWORD).focus == "password"
    assert anna.sign_in("anna", PASSWORD).follow("Change password").focus == "current"
    assert _change(anna, OTHER_PASSWORD, OTHER_PASSWORD).focus == "current"
    assert _change(anna, PASSWORD, PASSWORD[:8]).focus == "password"
    assert anna.problem.startswith("Use at least 15 characters.")


def _change(visitor: Visitor, current: str, new: str) -> Visitor:
    visitor.page.locator("form").evaluate("form => form.noValidate = true")
    visitor.fill(Current_password=current, New_password=new, New_password_again=new)
    return visitor.press("Change password")


@pytest.mark.parametrize("stay", [False, True])
def test_the_cookie_is_out_of_reach(house: Servers, visit: Visit, *, stay: bool) -> None:
    """On plain localhost: no script reads it, other sites' forms do not send it, it goes with the browser or stays."""
    anna = visit(house)

    anna.open("/").sign_in("anna", PASSWORD, stay=stay)
    (cookie,) = anna.session_cookies

    found = (cookie["name"], cookie["httpOnly"], cookie["sameSite"], cookie["secure"], cookie["domain"], cookie["path"])
    assert found == ("vestibule_session", True, "Lax", False, "localhost", "/")
    assert (cookie["expires"] > 0) is stay
    assert anna.page.evaluate("document.cookie") == ""
