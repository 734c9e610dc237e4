"""A person lets a program on a phone use an app, and ends that again."""

import re
from base64 import b64encode
from collections.abc import Iterator

import pytest

from service.login.app_passwords import FORM
from tests.door.guarded import SIGNED_IN, Guarded, guarded
from tests.rig.passwords import PASSWORD
from tests.stories.conftest import Visit


@pytest.fixture(scope="module")
def calendar() -> Iterator[Guarded]:
    """A calendar that takes app passwords."""
    text = f'title = "Team calendar"\napp_passwords = true\n{SIGNED_IN}'
    with guarded({"calendar": text}, people=["alice"]) as started:
        yield started


def test_alice_gives_her_phone_an_app_password(calendar: Guarded, visit: Visit) -> None:
    """She makes one with her password and copies what is shown once; her phone is in, until she ends it."""
    alice = visit(calendar.servers).open("/account/app-passwords").sign_in("alice", PASSWORD)
    alice.follow("New app password").fill(What_it_is_for="phone", Current_password="something else")
    assert alice.page.get_by_label("Team calendar").is_checked()
    assert alice.press("Make app password").problem == "Your current password is not right."
    assert alice.focus == "current"

    alice.fill(Current_password=PASSWORD).press("Make app password")
    alice.page.get_by_text("vst_").click()
    copied = alice.page.evaluate("getSelection().toString()")
    assert re.fullmatch(FORM, copied)
    listed = alice.follow("I have copied it").text
    assert ("phone\nTeam calendar\nNever used, ends in 365 days" in listed, copied in listed) == (True, False)

    phone = f"Basic {b64encode(f'alice:{copied}'.encode()).decode()}"
    received = dict(calendar.ask("calendar", "/dav/", method="PROPFIND", Authorization=phone).json["headers"])
    assert (received.get("Remote-User"), copied in str(received)) == ("alice", False)
    assert "Used just now" in alice.open("/account/app-passwords").text

    assert alice.press("End phone").notice == "The app password has ended. No program can use it any more."
    assert calendar.ask("calendar", "/dav/", method="PROPFIND", Authorization=phone).status == 401
    assert alice.open("/account/app-passwords").page.get_by_text("phone", exact=True).count() == 0
