"""Processes and what they started."""

from pathlib import Path


def children(pid: int) -> set[int]:
    """Return the processes that a process started; none once it has ended."""
    try:
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    except (FileNotFoundError, ProcessLookupError):
        return set()
