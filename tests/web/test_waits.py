"""Times to wait, as people read them."""

import pytest

from service.web import errors


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *[(1, "in a moment"), (11, "in 11 seconds"), (60, "in a minute"), (61, "in 2 minutes")],
        *[(3600, "in 60 minutes"), (7200, "in 120 minutes"), (7201, "in 3 hours"), (86_400, "in 24 hours")],
    ],
)
def test_a_wait_is_said_as_people_say_it(seconds: int, words: str) -> None:
    """Up to the day that an operator may set; rounded up, so that no user comes back too early."""
    assert errors.in_words(seconds) == words
