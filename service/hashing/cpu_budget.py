"""The processors and the memory that this process may use, and large pages for hashing.

A container sees every processor of its host; it may use the smaller of the CPU affinity and the quota of its control
group, or of any group above it (cgroup v2 `cpu.max`, v1 `cpu.cfs_quota_us`). The kernel kills a process that takes more
memory than one of its groups allows, whatever the host has left.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

_CGROUPS: Final = Path("/sys/fs/cgroup")
_OWN_GROUPS: Final = Path("/proc/self/cgroup")
_LARGE_PAGES: Final = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
_MEMORY: Final = Path("/proc/meminfo")
_KIB: Final = 1024


def cpu_budget(cgroup_root: Path = _CGROUPS, *, own_groups: Path = _OWN_GROUPS) -> int:
    """Return how many processors may be kept busy: whole ones, rounded down, at least 1.

    `own_groups` lists the groups of this process (proc(5)). A file that cannot be read sets no limit.
    """
    quotas = [quota for group in _groups("cpu", cgroup_root, own_groups) if (quota := _quota(group)) is not None]
    return max(1, int(min([_affinity(), *quotas])))


def with_large_pages(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a process that hashes: glibc asks for large pages, where the kernel gives them.

    argon2 reads its 19 MiB in random order: with pages of 2 MiB a sign-in takes a tenth less of a processor. glibc 2.35
    or later reads this once, when a program starts; others ignore it. An operator's own value stays.
    """
    return {**_LARGE_PAGES, **environ}


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory(cgroup_root: Path = _CGROUPS, *, own_groups: Path = _OWN_GROUPS, host: Path = _MEMORY) -> int | None:
    """Return how many KiB are free for this process, by the host and by each of its groups; None if unknown."""
    found = re.search(r"^MemAvailable: +(\d+) kB$", _read(host), re.MULTILINE)
    free = [int(found[1])] if found else []
    free += [left for group in _groups("memory", cgroup_root, own_groups) if (left := _left(group)) is not None]
    return max(0, min(free)) if free else None


def _groups(controller: str, root: Path, own_groups: Path) -> Iterator[Path]:
    """Yield the directories of own groups and of all groups above them (v2 at the root, v1 below the controller)."""
    for _, controllers, path in re.findall(r"^(\d+):([^:\n]*):(/.*)$", _read(own_groups), re.MULTILINE):
        if controllers == "" or controller in controllers.split(","):
            top = root if controllers == "" else root / controller
            group = top / path.lstrip("/")
            yield from (group, *(parent for parent in group.parents if parent.is_relative_to(top)))
    yield from (root, root / controller)  # inside a container the group's path may be that of the host


def _quota(group: Path) -> float | None:
    """Return the processors of a group's quota; None without a quota."""
    quota, period = [*_read(group / "cpu.max").split(), "", ""][:2]
    if not quota:
        quota, period = _read(group / "cpu.cfs_quota_us").strip(), _read(group / "cpu.cfs_period_us").strip()
    if not (quota.isdecimal() and period.isdecimal() and int(period)):
        return None  # "max" and -1 stand for no quota
    return int(quota) / int(period)


def _left(group: Path) -> int | None:
    """Return the KiB that a group may still take, its page cache included; None where it has no limit."""
    for limit, taken in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        most, now = _read(group / limit).strip(), _read(group / taken).strip()
        if most.isdecimal() and now.isdecimal():
            cached = re.search(r"^(?:total_)?inactive_file (\d+)$", _read(group / "memory.stat"), re.MULTILINE)
            return (int(most) - int(now) + (int(cached[1]) if cached else 0)) // _KIB
    return None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
