"""The arrows between the folders of `service/`."""

import subprocess
import sys
from pathlib import Path

from tests.rig.parts import ROOT


def test_arrows() -> None:
    """No module imports what the map in service/__init__.py does not let it see."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]

    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # it would mute our loggers

    assert answer.returncode == 0, answer.stdout
