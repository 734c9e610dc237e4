"""The directories in which processes count."""

from pathlib import Path

import pytest

from service import metrics_dir


def test_a_directory_that_another_start_removes_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two services that start at once both see a directory without processes, and one of them finds it gone."""
    gone, left = (tmp_path / metrics_dir.our_name(name) for name in ("gone", "left"))
    left.mkdir()
    glob = Path.glob
    monkeypatch.setattr(Path, "glob", lambda path, pattern: iter([gone, *glob(path, pattern)]))

    metrics_dir.remove_unused(tmp_path)

    assert not left.exists()
