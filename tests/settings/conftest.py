"""No test of the settings meets the machine's own configuration."""

from pathlib import Path

import pytest

from service.settings import sources


@pytest.fixture(autouse=True)
def usual_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the usual TOML file would be; there is none until the test writes it."""
    path = tmp_path / "vestibule.toml"
    monkeypatch.setattr(sources, "DEFAULT_CONFIG", path)
    return path
