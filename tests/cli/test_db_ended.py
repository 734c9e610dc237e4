"""`vestibule db backup` that a signal ends, or that is started without standard error."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.rig.servers import VESTIBULE
from tests.storage.place import Place


@pytest.fixture
def place(terminal: Terminal, tmp_path: Path) -> Place:
    """The state directory of the terminal, with a database, and a directory for apps."""
    del terminal
    (place := Place(tmp_path)).prepare().close()
    (tmp_path / "apps.d").mkdir()
    return place


def test_an_interrupted_backup_says_so(place: Place) -> None:
    """SIGTERM ends it with a sentence and 1; here, while it reads an app's file."""
    os.mkfifo(slow := place.state_dir / "apps.d/slow.toml")

    command = [*VESTIBULE, "db", "backup"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process, slow.open("wb"):
        process.terminate()
        said = process.communicate()[1]

    assert (process.returncode, said.partition(":")[0]) == (1, "Interrupted")


def test_without_standard_error_a_backup_is_made(place: Place) -> None:
    """A program may start it with that closed: there is no terminal to show progress on."""
    done = subprocess.run(["sh", "-c", '"$@" 2>&-', "sh", *VESTIBULE, "db", "backup"], check=True, capture_output=True)

    assert str(place.state_dir / "db-backups").encode() in done.stdout
