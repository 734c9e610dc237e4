"""What a real browser says about where a form comes from, and what becomes of forms of other sites."""

import pytest
from playwright.sync_api import Request

from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.servers import Servers
from tests.stories.conftest import Visit
from tests.stories.elsewhere import Elsewhere
from tests.stories.visitor import Visitor

REFUSED = "That request was refused"
FORMS = {
    "/": f"<input name=username value=anna><input name=password value='{PASSWORD}'>",
    "/logout": "",
    "/account/password": f"<input name=current value='{PASSWORD}'>"
    f"<input name=password value='{OTHER_PASSWORD}'><input name=repeat value='{OTHER_PASSWORD}'>",
}


def forge(elsewhere: Elsewhere, house: Servers) -> None:
    """Put a page with each form on the other site."""
    for number, (path, fields) in enumerate(FORMS.items()):
        form = f"<form method=post action='{house.origin}{path}'>{fields}<button>Win a prize</button></form>"
        elsewhere.pages[f"/prize/{number}"] = form


def sent_by(visitor: Visitor, button: str) -> tuple[str | None, str | None]:
    """Press a button; return the Origin and the Sec-Fetch-Site of the POST."""

    def is_post(request: Request) -> bool:
        return request.method == "POST"

    with visitor.page.expect_request(is_post) as posted:
        visitor.press(button)
    headers = posted.value.all_headers()
    return headers.get("origin"), headers.get("sec-fetch-site")


def test_our_own_forms_say_where_they_come_from(house: Servers, visit: Visit) -> None:
    """Under our Referrer-Policy the browser still sends a true Origin and Sec-Fetch-Site, which we go by."""
    anna = visit(house)
    anna.open("/").fill(Username="anna", Password=PASSWORD)

    assert sent_by(anna, "Sign in") == (house.origin, "same-origin")
    assert anna.heading == "Anna Example"
    assert sent_by(anna, "Sign out") == (house.origin, "same-origin")
    assert anna.notice == "You are signed out."


@pytest.mark.parametrize("site", ["same-site", "cross-site"])
def test_forms_of_others_are_refused(house: Servers, visit: Visit, elsewhere: Elsewhere, site: str) -> None:
    """A form on another origin, even of the same host, gets 403 and does nothing to who is signed in."""
    forge(elsewhere, house)
    anna, origin = visit(house), elsewhere.origin if site == "same-site" else elsewhere.foreign_origin
    anna.open("/").sign_in("anna", PASSWORD)

    for number in range(len(FORMS)):
        anna.open(f"{origin}/prize/{number}")
        assert sent_by(anna, "Win a prize") == (origin, site)
        assert anna.heading == REFUSED
    assert anna.open("/account").heading == "Anna Example"


def test_nobody_is_signed_in_by_others(house: Servers, visit: Visit, elsewhere: Elsewhere) -> None:
    """A form elsewhere cannot sign a visitor in under a name that is not theirs."""
    forge(elsewhere, house)
    visitor = visit(house)

    assert visitor.open(f"{elsewhere.foreign_origin}/prize/0").press("Win a prize").heading == REFUSED
    assert visitor.session_cookies == []
    assert visitor.open("/account").heading == "Sign in"


def test_our_pages_cannot_be_framed(house: Servers, visit: Visit, elsewhere: Elsewhere) -> None:
    """In a frame of another site there is no page of ours to click on."""
    elsewhere.pages["/frame"] = f"<iframe src='{house.origin}/'></iframe>"
    visitor = visit(house)

    visitor.open(f"{elsewhere.foreign_origin}/frame")

    (frame,) = visitor.page.main_frame.child_frames
    assert frame.get_by_label("Password").count() == 0
    assert any("frame-ancestors 'none'" in trouble for trouble in visitor.troubles)
    visitor.troubles.clear()  # these were asked for
