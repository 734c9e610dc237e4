"""What a guess costs somebody who has the hashes, and tries passwords on processors of their own.

Nothing of ours slows them down but the price of one hash.
"""

from dataclasses import dataclass
from typing import Final

A_MILLION: Final = 1_000_000
_SECONDS_OF_AN_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Guess:
    """One guess, by the seconds that all lanes of its hash together take of a processor."""

    processor_seconds: float

    @property
    def per_second(self) -> float:
        """Guesses of one processor in a second."""
        return 1 / self.processor_seconds

    @property
    def hours_for_a_million(self) -> float:
        """Hours in which one processor tries a million guesses (many a password is among the first million)."""
        return A_MILLION * self.processor_seconds / _SECONDS_OF_AN_HOUR
