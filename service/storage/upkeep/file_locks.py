"""Which processes hold a lock on files, as Linux tells it."""

import os
from contextlib import suppress
from pathlib import Path


def holders(*files: Path) -> str:
    """Return the processes that hold locks on the files, in words; this process sees those of its container alone."""
    inodes = {str(file.stat().st_ino) for file in files if file.exists()}
    found = set()
    with suppress(OSError):  # no Linux
        for line in Path("/proc/locks").read_text().splitlines():
            *_, pid, place, _, _ = line.split()
            if place.rpartition(":")[2] in inodes and pid != str(os.getpid()):
                found.add(pid)
    named = ", ".join(f"the process {pid} ({_command(pid)})" for pid in sorted(found))
    return f"{named or 'a process that is not seen from here'}, which holds a lock on {files[0]}"


def _command(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "ended"
