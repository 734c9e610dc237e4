"""A person lets a program on a phone use an app, and ends that again."""

import re

from service.login.app_passwords import FORM
from tests.rig.passwords import PASSWORD
from tests.rig.servers import Servers
from tests.stories.conftest import Visit
from tests.stories.people import order
from tests.stories.places import new_app_password


def test_clara_gives_her_phone_an_app_password(house: Servers, visit: Visit) -> None:
    """She makes one with her password, copies what is shown once, finds it in the list, and ends it."""
    clara = new_app_password(visit(house), house, "clara")
    clara.fill(What_it_is_for="phone", Current_password="something else")
    clara.page.get_by_label("Files").check()
    assert clara.press("Make app password").problem == "Your current password is not right."
    assert clara.focus == "current"

    clara.fill(Current_password=PASSWORD).press("Make app password")
    clara.page.get_by_text("vst_").click(click_count=3)
    copied = clara.page.evaluate("getSelection().toString()").strip()
    assert (re.fullmatch(FORM, copied) is not None, "clara" in clara.text) == (True, True)

    listed = clara.follow("I have copied it").text
    assert ("phone\nFiles\nNever used, ends in 365 days" in listed, copied in listed) == (True, False)
    assert "phone" in order(house, "app-password", "list", "clara")

    assert clara.press("End phone").notice == "The app password has ended. No program can use it any more."
    assert (clara.open("/account/app-passwords").page.get_by_text("phone", exact=True).count(), clara.path) == (
        0,
        "/account/app-passwords",
    )
