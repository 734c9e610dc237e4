"""Which database drivers a process loads."""

import subprocess
import sys
from pathlib import Path

from tests.rig.parts import ROOT

_STARTED = "import sys; from service.app import application; application(); print(*sys.modules)"


def test_a_start_on_sqlite_loads_no_driver_of_postgresql(tmp_path: Path) -> None:
    """psycopg and its libraries would take 4 MB in every installation on one file."""
    environ = {"PATH": "/usr/bin:/bin", "VESTIBULE_STATE_DIR": str(tmp_path / "state")}
    command = (sys.executable, "-c", _STARTED)
    ran = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {module.partition(".")[0] for module in ran.stdout.split()}
    assert "pysqlite3" in loaded or "sqlite3" in loaded
    assert not loaded & {"psycopg", "psycopg_binary", "redis"}
