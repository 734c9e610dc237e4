"""No test of the settings meets the machine's own configuration; some need a state directory."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import sources
from tests.settings import nobody


@pytest.fixture(autouse=True)
def usual_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the usual TOML file would be; there is none until the test writes it."""
    path = tmp_path / "vestibule.toml"
    monkeypatch.setattr(sources, "DEFAULT_CONFIG", path)
    return path


@pytest.fixture
def directory(usual_config: Path) -> Path:
    """Return the directory of the apps, beside the file of settings."""
    usual_config.touch()
    (made := usual_config.parent / "apps.d").mkdir()
    return made


@pytest.fixture
def state() -> Iterator[Path]:
    """Return a state directory of the unprivileged user (pytest's own directories are closed to other users)."""
    top = Path(tempfile.mkdtemp(prefix="vestibule-test-"))
    top.chmod(0o755)
    directory = top / "state"
    directory.mkdir(0o750)
    nobody.give(directory)
    yield directory
    shutil.rmtree(top)
