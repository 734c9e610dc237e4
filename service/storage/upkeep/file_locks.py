"""Which processes hold a lock on files, as Linux tells it."""

import os
from contextlib import suppress
from pathlib import Path


def holders_of_database(file: Path) -> str:
    """Return the processes that use an SQLite database, in words."""
    return holders(file, file.with_name(file.name + "-shm"))


def holders(*files: Path) -> str:
    """Return the processes that hold locks on the files, in words; this process sees those of its container alone.

    Where some write, those that read are not in the way: with a write-ahead log each connection holds such a lock.
    """
    inodes = {str(file.stat().st_ino) for file in files if file.exists()}
    readers: set[str] = set()
    writers: set[str] = set()
    with suppress(OSError):  # no Linux
        for line in Path("/proc/locks").read_text().splitlines():
            *_, mode, pid, place, _, _ = line.split()
            if place.rpartition(":")[2] in inodes and pid != str(os.getpid()):
                (writers if mode == "WRITE" else readers).add(pid)
    named = ", ".join(f"the process {pid} ({_command(pid)})" for pid in sorted(writers or readers, key=int))
    return f"{named or 'a process that is not seen from here'}, which holds a lock on {files[0]}"


def _command(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "ended"
