"""How the command line says a time."""

from datetime import UTC, datetime


def when(seconds: int | None) -> str:
    """Return a moment (seconds since the epoch) in UTC, or a dash."""
    return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
