"""A group of processes whose memory together is bounded (cgroups, of either version). Only root makes one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.rig.until import until

_ROOT: Final = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class MemoryGroup:
    """One group, by its directory; `is_old` where the kernel has a hierarchy for memory alone (version 1)."""

    path: Path
    is_old: bool

    def command(self, *command: str) -> list[str]:
        """Return a command that joins the group before it becomes what it is."""
        return ["sh", "-c", f'echo $$ >"{self.path}/cgroup.procs" && exec "$@"', "sh", *command]

    @property
    def peak(self) -> int:
        """Return the bytes that it took at most."""
        return int(self._read("memory.max_usage_in_bytes" if self.is_old else "memory.peak"))

    @property
    def kills(self) -> int:
        """Return how many processes the kernel ended for lack of memory."""
        events = self._read("memory.oom_control" if self.is_old else "memory.events")
        return int(next(line for line in events.splitlines() if line.startswith("oom_kill ")).split()[1])

    def limit(self, size: int) -> None:
        """Bound it, and count the peak anew."""
        (self.path / ("memory.limit_in_bytes" if self.is_old else "memory.max")).write_text(str(size))

    def _read(self, name: str) -> str:
        return (self.path / name).read_text()


@contextmanager
def memory_group() -> Iterator[MemoryGroup]:
    """Yield a group that is empty. Where none can be made the experiment does not run."""
    is_old = (_ROOT / "memory" / "cgroup.procs").exists()
    path = _ROOT / ("memory" if is_old else "") / f"vestibule-faults-{os.getpid()}"
    try:
        path.mkdir()
    except OSError as fault:
        pytest.skip(f"no group of processes can be made below {path.parent} ({fault.strerror})")
    try:
        if not (path / ("memory.limit_in_bytes" if is_old else "memory.max")).exists():
            pytest.skip(f"{path.parent} bounds no memory")
        yield MemoryGroup(path, is_old)
    finally:
        until(lambda: _removed(path), f"{path} is empty")


def _removed(path: Path) -> bool:
    with suppress(OSError):  # a process is still ending
        path.rmdir()
    return not path.exists()
