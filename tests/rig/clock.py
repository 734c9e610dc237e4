"""A clock that stands still until a test sets it."""

from dataclasses import dataclass


@dataclass
class Clock:
    """What is asked for the time; `now` is its answer."""

    now: float = 0

    def __call__(self) -> float:
        return self.now
