"""When it does not work: too often, and the service is away. The page says what to do."""

from service.web.errors import in_words
from tests.rig.passwords import PASSWORD
from tests.rig.servers import Servers
from tests.stories.conftest import Visit
from tests.stories.places import too_often


def test_too_often_says_when_to_come_back(empty: Servers, visit: Visit) -> None:
    """A sentence names the time that Retry-After has; the form below it is as it was sent, but for the password."""
    visitor = visit(empty)
    waits: list[str] = []
    visitor.context.on("response", lambda response: waits.extend(_wait(response.headers)))

    too_often(visitor, empty)

    assert f"Please try again {in_words(int(waits[-1]))}." in visitor.text
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    lines = visitor.page.locator(".again strong").evaluate("wait => wait.getClientRects().length")
    assert lines == 1  # the number and its unit stay together
    assert visitor.page.get_by_label("Username").input_value() == "nobody"
    assert visitor.page.get_by_label("Stay signed in").is_checked()
    assert (visitor.page.get_by_label("Password").input_value(), visitor.focus) == ("", "password")


def _wait(headers: dict[str, str]) -> list[str]:
    return [headers["retry-after"]] if "retry-after" in headers else []


def test_the_service_is_away_and_comes_back(house: Servers, visit: Visit) -> None:
    """Meanwhile the page says so in the service's own look; afterwards people are still signed in."""
    anna = visit(house)
    anna.open("/").sign_in("anna", PASSWORD)
    house.end("gunicorn")

    assert anna.open("/account").heading == "The service does not answer"
    assert anna.page.locator("main").evaluate("main => getComputedStyle(main).borderRadius") != "0px"
    house.start_gunicorn()
    house.wait_until(lambda: house.ops("/readyz").status == 200, "/readyz answers 200")
    assert anna.follow("Try again").heading == "Anna Example"
    assert anna.path == "/account"
