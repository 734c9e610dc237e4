"""A file system that is soon full."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

FILLING: Final = "filling"


@contextlib.contextmanager
def small_disk(path: Path, *, kilobytes: int) -> Iterator[Path]:
    """Mount a RAM disk of this size. Only root can: without, the test is skipped, or fails where CI is set."""
    path.mkdir()
    options = f"size={kilobytes}k,mode=1777"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "none", path], capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = f"no small disk can be mounted: {done.stderr.strip()}"
        (pytest.fail if os.environ.get("CI") and os.geteuid() == 0 else pytest.skip)(reason)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


def fill(disk: Path) -> Path:
    """Take all the space of a disk that is left; the file that takes it."""
    path = disk / FILLING
    with contextlib.suppress(OSError), path.open("ab", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    return path
