"""What a guess costs somebody who has the hashes."""

import pytest

from service.login.guessing import Guess


def test_a_guess_has_its_price() -> None:
    """A hash that takes 36 ms of a processor: 27.8 guesses a second, and ten hours for a million of them."""
    guess = Guess(processor_seconds=0.036)

    assert guess.per_second == pytest.approx(27.78, abs=0.01)
    assert guess.hours_for_a_million == pytest.approx(10)
