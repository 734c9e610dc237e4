"""`rd` brings people back to where they came from, and nowhere else."""

from urllib.parse import quote

from tests.rig.passwords import OTHER_PASSWORD, PASSWORD
from tests.rig.servers import Servers
from tests.stories.conftest import Visit
from tests.stories.elsewhere import Elsewhere
from tests.stories.people import WRONG


def test_back_to_a_page_of_ours(house: Servers, visit: Visit) -> None:
    """A person who asks for a page before signing in gets it afterwards, a mistyped password in between or not."""
    anna = visit(house)

    assert anna.open("/account/password").heading == "Sign in"
    assert anna.sign_in("anna", OTHER_PASSWORD).problem == WRONG
    assert anna.sign_in("anna", PASSWORD).path == "/account/password"


def test_back_to_a_listed_origin(house: Servers, visit: Visit, elsewhere: Elsewhere) -> None:
    """Chromium ends at the very address that it would ask for itself, after a mistyped password too."""
    anna, target = visit(house), f"{elsewhere.origin}/wiki?page[]=1|2^{{3}}`4`\\5%#%[a]{{b}}"

    anna.open(f"/?rd={quote(target, safe='')}")
    assert f"to continue to localhost:{elsewhere.port}" in anna.text
    assert anna.sign_in("anna", OTHER_PASSWORD).problem == WRONG
    assert anna.sign_in("anna", PASSWORD).heading == "You have arrived"
    assert anna.page.url == target
    assert anna.open(f"/?rd={quote(target, safe='')}").page.url == target  # signed in already: at once


def test_never_off_site(house: Servers, visit: Visit, elsewhere: Elsewhere) -> None:
    """An address that is not listed leads home instead, before signing in and when signed in already."""
    anna, home, foreign = visit(house), f"{house.origin}/account", f"127.0.0.1:{elsewhere.port}"
    away = [
        f"http://{foreign}/",
        f"//{foreign}/",
        f"/\\{foreign}/",
        "javascript:alert(1)",
        f"{elsewhere.origin}@{foreign}/",
    ]

    for rd in away:
        anna.open(f"/?rd={rd}")
        assert "to continue to" not in anna.text
        assert anna.page.locator("input[name=rd]").count() == 0
    assert anna.sign_in("anna", PASSWORD).page.url == home
    assert {anna.open(f"/?rd={rd}").page.url for rd in away} == {home}


def test_a_forged_form_cannot_choose_where(house: Servers, visit: Visit, elsewhere: Elsewhere) -> None:
    """What the form in the page is made to say is checked again when it is sent."""
    anna = visit(house)
    anna.open(f"/?rd={elsewhere.origin}/wiki")
    anna.page.locator("input[name=rd]").evaluate("(field, away) => field.value = away", f"{elsewhere.foreign_origin}/")

    assert anna.sign_in("anna", PASSWORD).page.url == f"{house.origin}/account"
