"""Whether a directory lies in memory alone: nginx writes what it remembers into files, and tokens with it."""

import os
import re
import stat
from pathlib import Path
from typing import Final

_MOUNTS: Final = Path("/proc/self/mountinfo")
_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_OCTAL: Final = re.compile(r"\\([0-7]{3})")  # a blank in a path is \040


def fault_of(directory: Path) -> str | None:
    """Return why nginx must not remember tokens in a directory, which it makes where it is missing; None where it may.

    Where the system does not say what is mounted, the operator's word counts.
    """
    nearest = next(each for each in (directory, *directory.parents) if each.exists()).resolve()
    if nearest.stat().st_mode & stat.S_IWOTH:
        return f"{nearest} may be written by every user: choose a directory of nginx's own on a RAM disk"
    try:
        mounts = _MOUNTS.read_text(errors="surrogateescape")
    except OSError:
        return None
    if kind_of(nearest, mounts) not in _IN_MEMORY:
        return f"{nearest} is not on a RAM disk (tmpfs), and nginx would write tokens to a disk: choose another one"
    return None


def kind_of(directory: Path, mounts: str) -> str:
    """Return the kind of file system that a directory lies on, by the text of a mountinfo (proc(5))."""
    found = [(_plain(line.split()[4]), line.partition(" - ")[2].split()[0]) for line in mounts.splitlines()]
    covering = [
        (len(point), order, kind) for order, (point, kind) in enumerate(found) if directory.is_relative_to(point)
    ]
    return max(covering)[2]


def _plain(point: str) -> str:
    return os.fsdecode(_OCTAL.sub(lambda octal: chr(int(octal[1], 8)), point))
