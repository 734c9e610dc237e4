"""A terminal for each test, in an environment of its own."""

import os
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Terminal:
    """Commands read settings of their own: no variable and no file of this machine counts."""
    for name in [name for name in os.environ if name.startswith("VESTIBULE_")]:
        monkeypatch.delenv(name)
    (tmp_path / "vestibule.toml").touch()
    monkeypatch.setenv("VESTIBULE_CONFIG", str(tmp_path / "vestibule.toml"))
    monkeypatch.setenv("VESTIBULE_STATE_DIR", str(tmp_path))
    return Terminal()
