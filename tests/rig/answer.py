"""What a server or an app answered."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """The status, every header in order, the body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        """Return a header's first value, or None."""
        return next(iter(self.all(name)), None)

    def one(self, name: str) -> str:
        """Return the value of a header that is there exactly once."""
        (value,) = self.all(name)
        return value

    @property
    def text(self) -> str:
        """The body, which is UTF-8 whatever was sent."""
        return self.body.decode()

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was answered
        """The body as JSON."""
        return json.loads(self.body)
