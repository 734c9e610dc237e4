"""What was measured on: the machine, and the versions of everything that matters."""

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from service import RELEASE
from service.hashing.cpu_budget import cpu_budget
from service.storage.engine.sqlite import DRIVER
from tests.rig.parts import need
from tests.rig.processes import children

QUIET: Final = 0.5
_LIBRARIES: Final = ("flask", "gunicorn", "argon2-cffi", "argon2-cffi-bindings", "sqlalchemy", "flask-limiter")


def machine() -> dict[str, object]:
    """Return the facts of this machine, and how busy it was with other things."""
    return {
        "processor": _found(r"model name\s*: (.+)", Path("/proc/cpuinfo")),
        "processors": cpu_budget(),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 10**6,
        "large_pages": _found(r"\[(\w+)\]", Path("/sys/kernel/mm/transparent_hugepage/enabled")),
        "system": platform.platform(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Return the versions of the service and of what it stands on."""
    said = subprocess.run([need("nginx"), "-v"], capture_output=True, text=True, check=True).stderr
    return {
        "vestibule": RELEASE,
        "python": platform.python_version(),
        "nginx": said.strip().rpartition("/")[2],
        "sqlite": DRIVER.sqlite_version,
        **{name: version(name) for name in _LIBRARIES},
    }


def is_busy() -> bool:
    """Whether other programs keep the processors from what is measured."""
    return os.getloadavg()[0] > QUIET


def family(master: int) -> Sequence[int]:
    """Return the ids of a process and of its children."""
    return [master, *children(master)]


def proportional_mb(processes: Sequence[int]) -> float:
    """Return the memory of some processes in MB (PSS: what several share is divided among them; proc(5))."""
    return sum(_pss_kib(process) for process in processes) * 1024 / 10**6


def _pss_kib(process: int) -> int:
    return int(_found(r"(?m)^Pss: +(\d+) kB", Path(f"/proc/{process}/smaps_rollup")))


def _found(pattern: str, file: Path) -> str:
    found = re.search(pattern, file.read_text()) if file.exists() else None
    return found[1] if found else "unknown"
