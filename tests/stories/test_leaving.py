"""After signing out nothing of the account can be seen again, and what was left open ends well."""

from playwright.sync_api import Page

from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.servers import Servers
from tests.stories.conftest import Visit
from tests.stories.people import order
from tests.stories.visitor import Visitor

OF_ANNA = ("Anna Example", "anna@example.org")


def _went(page: Page, back: str = "back") -> str:
    """Press one of the browser's own buttons; return the heading. The sign-in page shows nothing of the account."""
    (page.go_back if back == "back" else page.go_forward)(wait_until="commit")
    heading = page.get_by_role("heading", level=1).inner_text()
    if heading == "Sign in":
        assert [fact for fact in OF_ANNA if fact in page.content()] == []
    return heading


def test_back_and_forward_show_nothing(house: Servers, visit: Visit) -> None:
    """After sign-out the back and forward buttons lead to the sign-in page, whatever the browser kept in memory."""
    anna = visit(house)
    anna.open("/").sign_in("anna", PASSWORD).follow("Change password")
    assert _went(anna.page) == "Anna Example"
    anna.press("Sign out")

    assert [_went(anna.page, way) for way in ("back", "back", "forward", "forward")] == ["Sign in"] * 4


def test_back_to_the_page_that_signing_in_led_to(house: Servers, visit: Visit) -> None:
    """The shortest visit leaves nothing behind either: in, out, back."""
    anna = visit(house)
    anna.open("/").sign_in("anna", PASSWORD).press("Sign out")

    assert _went(anna.page) == "Sign in"


def test_back_in_a_tab_that_went_on_elsewhere(house: Servers, visit: Visit) -> None:
    """A tab that left the account's page cannot go back to it after another tab signed out."""
    anna = visit(house)
    anna.open("/").sign_in("anna", PASSWORD).open("/nowhere")
    behind = anna.page
    anna.page = anna.new_tab("/account")
    anna.press("Sign out")

    assert _went(behind) == "Sign in"


def test_acting_in_a_tab_whose_session_ended_in_another(house: Servers, visit: Visit) -> None:
    """What the second tab shows is old; whatever is pressed there leads to the sign-in page and from there on."""
    anna = visit(house)
    anna.open("/").sign_in("anna", PASSWORD)
    first, second = anna.page, anna.new_tab("/account")
    anna.press("Sign out")

    anna.page = second
    assert anna.follow("Change password").heading == "Sign in"
    anna.page = first
    assert anna.sign_in("anna", PASSWORD).heading == "Anna Example"
    anna.page = second
    assert anna.sign_in("anna", PASSWORD).heading == "Change password"
    anna.page = first
    assert anna.press("Sign out").notice == "You are signed out."
    anna.page = second
    anna.open("/account")
    assert anna.heading == "Sign in"


def test_signing_out_twice(house: Servers, visit: Visit) -> None:
    """A sign-out button that was left in another tab says the same thing again."""
    anna = visit(house)
    anna.open("/").sign_in("anna", PASSWORD)
    second = anna.new_tab("/account")
    anna.press("Sign out")

    anna.page = second

    assert anna.press("Sign out").notice == "You are signed out."


def test_a_form_left_open_after_the_session_ended(house: Servers, visit: Visit) -> None:
    """A new password sent with a session that is over changes nothing; after signing in the form is there again."""
    clara = visit(house)
    clara.open("/").sign_in("clara", PASSWORD).follow("Change password")
    clara.fill(Current_password=PASSWORD, New_password=OTHER_PASSWORD, New_password_again=OTHER_PASSWORD)
    order(house, "session", "end", "--account", "clara")

    assert clara.press("Change password").heading == "Sign in"
    assert clara.sign_in("clara", PASSWORD).heading == "Change password"
    assert clara.path == "/account/password"


def test_a_sign_in_form_left_open_while_signed_in_elsewhere(house: Servers, visit: Visit) -> None:
    """Signing in in a tab that did not know of the session replaces it: one browser, one session."""
    erik = visit(house)
    second = erik.open("/").new_tab("/")
    erik.sign_in("erik", PASSWORD)

    erik.page = second

    assert erik.sign_in("erik", PASSWORD).heading == "Erik Example"
    assert len(order(house, "session", "list", "--account", "erik").splitlines()) == 1


def twice(visitor: Visitor, button: str) -> None:
    """Click twice, faster than any answer comes; the second request takes the first one's place in the browser."""
    found = visitor.page.get_by_role("button", name=button, exact=True)
    found.scroll_into_view_if_needed()
    box = found.bounding_box()
    assert box
    with visitor.page.expect_event("domcontentloaded"):
        for _ in range(2):
            visitor.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_double_click_on_sign_in(house: Servers, visit: Visit) -> None:
    """Two clicks, one working session."""
    anna = visit(house)
    anna.open("/").fill(Username="anna", Password=PASSWORD)

    twice(anna, "Sign in")

    assert anna.heading == "Anna Example"
    assert anna.open("/account").heading == "Anna Example"


def test_double_click_on_a_new_password(house: Servers, visit: Visit) -> None:
    """Two clicks change the password, and are not told that it was wrong; the new one is the one that opens."""
    bruno, elsewhere = visit(house), visit(house)
    bruno.open("/").sign_in("bruno", PASSWORD).follow("Change password")
    bruno.fill(Current_password=PASSWORD, New_password=OTHER_PASSWORD, New_password_again=OTHER_PASSWORD)

    twice(bruno, "Change password")

    assert bruno.page.get_by_role("alert").count() == 0
    assert elsewhere.open("/").sign_in("bruno", OTHER_PASSWORD).heading == "Bruno Example"


def test_double_click_on_sign_out(house: Servers, visit: Visit) -> None:
    """Two clicks sign out."""
    anna = visit(house)
    anna.open("/").sign_in("anna", PASSWORD)

    twice(anna, "Sign out")

    assert anna.notice == "You are signed out."
    assert anna.open("/account").heading == "Sign in"
