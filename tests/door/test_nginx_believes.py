"""What nginx makes of the service's answers, whatever they are: here a stand-in for the service gives them."""

from collections.abc import Iterator

import pytest

from tests.door.guarded import SIGNED_IN, Guarded, guarded

COOKIE = f"vestibule_session={'x' * 43}"
BY_ITSELF = "/%C3%A4"  # nginx remembers each such path alone, so that no test meets what another one left
LATER = "header=X-Accel-Expires:@4000000000"


@pytest.fixture(scope="module")
def told() -> Iterator[Guarded]:
    """An app behind nginx and the stand-in."""
    with guarded({"wiki": SIGNED_IN}, people=(), application="tests.door.told:application") as it:
        yield it


def numbers(it: Guarded, path: str) -> list[str]:
    """Return the numbers of the answers by which two equal requests passed."""
    return [dict(it.ask("wiki", path, Cookie=COOKIE).json["headers"])["Remote-User"] for _ in range(2)]


@pytest.mark.parametrize("status", [300, 302, 303, 304, 400, 402, 404, 405, 418, 429, 500, 502, 503, 504])
def test_what_is_neither_yes_nor_no_lets_nothing_pass(told: Guarded, status: int) -> None:
    """It is 503, and the app hears nothing, also where the answer asks to be remembered."""
    before = told.echo.seen()

    assert [told.ask("wiki", f"{BY_ITSELF}{status}?says={status}&{LATER}", Cookie=COOKIE).status for _ in range(2)] == [
        503,
        503,
    ]
    assert told.echo.seen() == before


@pytest.mark.parametrize("status", [401, 403])
def test_a_no_is_never_remembered(told: Guarded, status: int) -> None:
    """Not even where the answer asks for it: X-Accel-Expires counts on a yes alone."""
    path = f"{BY_ITSELF}{status}?says={status}&says=200&{LATER}"
    before = told.echo.seen()
    told.ask("wiki", path, Cookie=COOKIE)

    assert told.echo.seen() == before
    assert told.ask("wiki", path, Cookie=COOKIE).json["path"] == path


@pytest.mark.parametrize(
    "header", ["Cache-Control:max-age=60", "Expires:Thu, 01 Jan 2099 00:00:00 GMT", "X-Accel-Expires:0"]
)
def test_a_yes_is_remembered_by_the_services_own_word_alone(told: Guarded, header: str) -> None:
    """Without a time in X-Accel-Expires each request is asked about."""
    first, second = numbers(told, f"{BY_ITSELF}{len(header)}?header={header.replace(' ', '%20')}")

    assert first != second


@pytest.mark.parametrize("header", ["Cache-Control:no-store", "Expires:0", "Set-Cookie:a=b", "Vary:Cookie", "Vary:*"])
def test_no_other_header_ends_what_is_remembered(told: Guarded, header: str) -> None:
    """nginx would obey the first of them that it meets."""
    first, second = numbers(told, f"{BY_ITSELF}{header}?{LATER}&header={header}")

    assert first == second
