"""Times as an operator types them: how long (`2h`), and since when (`2h` ago, a day, a moment)."""

from datetime import UTC, datetime
from typing import Final

import click

from service.settings.kinds import DAY, InvalidValue, duration

_DURATION: Final = duration(1, 400 * DAY)


def seconds_of(text: str) -> int | None:
    """Return the seconds of a duration such as `90s`, `15m`, `2h`, `14d`, at most 400 days."""
    try:
        seconds: int = _DURATION.read(text)
    except InvalidValue:
        return None
    return seconds


class Duration(click.ParamType[int]):
    """A duration, in seconds."""

    name = "duration"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        seconds = value if isinstance(value, int) else seconds_of(value)
        if seconds is None:
            self.fail(f"{value!r} is no duration: write it like 90s, 15m, 2h or 14d, at most 400d.", param, ctx)
        return seconds


class Since(click.ParamType[int]):
    """A moment, in seconds since the epoch when it was written out, or before now (negative) for a duration."""

    name = "time"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if (seconds := seconds_of(value)) is not None:
            return -seconds
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(
                f"{value!r} is no time: write 2h for two hours ago, or 2026-01-31, or 2026-01-31T08:00.", param, ctx
            )
        return max(0, int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))


def moment_of(since: int, *, now: int) -> int:
    """Return the moment that `Since` read."""
    return now + since if since < 0 else since
