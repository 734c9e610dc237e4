"""Types of arguments, as click calls them: networks, durations (`2h`), and times (`2h` ago, a day, a moment)."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from service.cli.output import refuse
from service.login.networks import Network, parse
from service.settings import kinds

_LONGEST: Final = 400 * kinds.DAY


def network(text: str) -> Network:
    """Return the network or the address that was typed; exit with code 1 when it is none."""
    return parse(text) or refuse(f"{text!r} is not a network: write an address, or a network such as 192.0.2.0/24.")


def path(text: str) -> Path:
    """Return a path from the root, with links followed. Nothing is no path: it is what an unset variable leaves."""
    if not text:
        raise click.BadParameter("it is empty: write a path, and . for this directory.")
    return Path(text).resolve()


def duration(text: str, *, shortest: int = 1) -> int:
    """Return the seconds of a duration such as `90s`, `15m`, `2h`, `14d`, at most 400 days."""
    try:
        found: int = kinds.duration(shortest, _LONGEST).read(text)
    except kinds.InvalidValue:
        fault = f"{text!r} is not a duration: write it like 90s, 15m, 2h or 14d, at most 400d."
        raise click.BadParameter(fault) from None
    return found


def wait(text: str) -> int:
    """Return the seconds to wait; `0s` is not to wait."""
    return duration(text, shortest=0)


def since(text: str) -> int:
    """Return a time in seconds since the epoch; a duration, which means before now, as a negative number."""
    with suppress(click.BadParameter):
        return -duration(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fault = f"{text!r} is not a time: write 2h for two hours ago, or 2026-01-31, or 2026-01-31T08:00 (UTC)."
        raise click.BadParameter(fault) from None
    return max(0, int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))
