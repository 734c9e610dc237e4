"""deploy/release: nothing is published under two names."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from service import RELEASE
from tests.rig.parts import ROOT

NAMING: Final = (
    "pyproject.toml",
    "service/__init__.py",
    "Dockerfile",
    "deploy/helm/Chart.yaml",
    "deploy/helm/values.yaml",
    "deploy/kubernetes/base/kustomization.yaml",
    "deploy/kubernetes/components/backup/kustomization.yaml",
    "deploy/kubernetes/components/backup-sqlite/kustomization.yaml",
    "deploy/kubernetes/example/kustomization.yaml",
    "deploy/kubernetes/README.md",
    "deploy/kubernetes/kind-test",
    "deploy/kubernetes/kind/load.yaml",
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of every file that names the release, with an entry in the changelog."""
    for name in ("deploy/release", *NAMING):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    headings = ("[Unreleased]\n\n- later", f"[{RELEASE}] - 2026-01-31\n\n- now", "[0.0.1] - 2026-01-01\n\n- before")
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n" + "".join(f"## {entry}\n\n" for entry in headings))
    return tmp_path


def asked(folder: Path, release: str) -> subprocess.CompletedProcess[str]:
    """Return what the command says in a copy."""
    return subprocess.run([folder / "deploy/release", release], capture_output=True, text=True, check=False)


def test_notes_are_the_entry_of_the_changelog(copy: Path) -> None:
    """When every file names the release, its entry of the changelog is printed, and no other."""
    answer = asked(copy, f"v{RELEASE}")

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "- now\n", "")


@pytest.mark.parametrize("name", NAMING)
def test_a_file_that_names_another_release_is_told(copy: Path, name: str) -> None:
    """One file with another release stops the release, and is named."""
    text = (copy / name).read_text()
    (copy / name).write_text(text.replace(RELEASE, "9.9.9"))
    answer = asked(copy, f"v{RELEASE}")

    assert (answer.returncode, answer.stdout, answer.stderr) == (1, "", f"{name} names 9.9.9, not {RELEASE}\n")


@pytest.mark.parametrize("typed", ["", RELEASE, "v1", f"v{RELEASE}-rc1"])
def test_what_is_no_release_is_answered_with_the_usage(copy: Path, typed: str) -> None:
    """Only `vX.Y.Z` is looked for in the files."""
    answer = asked(copy, typed)

    assert (answer.returncode, answer.stderr) == (2, "Usage: deploy/release vX.Y.Z\n")


@pytest.mark.parametrize("entry", ["## [Unreleased]", f"## [{RELEASE}] - soon"])
def test_a_release_without_a_dated_entry_is_refused(copy: Path, entry: str) -> None:
    """Without an entry and its date in the changelog there is no release."""
    (copy / "CHANGELOG.md").write_text(f"# Changelog\n\n{entry}\n\n- now\n")
    answer = asked(copy, f"v{RELEASE}")

    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == f"CHANGELOG.md has no line `## [{RELEASE}] - YYYY-MM-DD`\n"
