"""Other releases of the service than the one under test, each in a directory of its own: the next, and the last one.

    with instances(database=address) as it:
        it.replace(0, code=next_step(tmp_path))

`last_release` takes the code from the repository's history: it needs all of that, not a shallow clone.
"""

import compileall
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.rig.parts import ROOT

_PARTS: Final = ("service", "deploy", "docs", "nginx.conf")
_VERSIONS: Final = "service/storage/upkeep/migrations/versions"
_STEP: Final = '''"""A step after the last one."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
locks = {{"accounts": "ACCESS EXCLUSIVE"}}


def upgrade() -> None:
    """Make a table, and add a column that the release before does not write."""
    op.create_table("made_up", sa.Column("name", sa.Text, primary_key=True))
    op.add_column("accounts", sa.Column("made_up", sa.Text))
'''


def next_step(place: Path) -> Path:
    """Return a directory in `place` with this code one patch release later, with one more migration, which expands."""
    code = _new(place, "next")
    for part in _PARTS:
        (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, code / part)
    before = max(path.name[:4] for path in (code / _VERSIONS).glob("[0-9]*.py"))
    revision = f"{int(before) + 1:04}"
    (code / _VERSIONS / f"{revision}_made_up.py").write_text(_STEP.format(revision=revision, before=before))
    _replace(code / "service/storage/upkeep/schema.py", rf'^HEAD: Final = "{before}"$', f'HEAD: Final = "{revision}"')
    _replace(code / "service/__init__.py", r'(?<=^RELEASE = ")[0-9.]+(?="$)', later_release(code))
    return _usable(code)


def last_release(place: Path) -> Path:
    """Return a directory in `place` with the code of the last tag `v*`, else of before the newest migration."""
    if _git("rev-parse", "--is-shallow-repository") != "false":
        reason = "the repository's whole history is not here: git fetch --unshallow"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    tags = _git("tag", "--list", "v*", "--merged", "HEAD", "--sort=-v:refname").splitlines()
    newest = max(path.name for path in (ROOT / _VERSIONS).glob("[0-9]*.py"))
    added = _git("log", "--format=%H", "--diff-filter=A", "--", f"{_VERSIONS}/{newest}").splitlines()
    commit = tags[0] if tags else f"{added[-1]}^" if added else "HEAD"
    code = _new(place, "last")
    there = [part for part in _PARTS if _git("ls-tree", "--name-only", commit, part)]
    packed = subprocess.run(["git", "archive", commit, *there], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "--extract", "--directory", str(code)], input=packed, check=True)
    return _usable(code)


def later_release(code: Path) -> str:
    """Return the name of the patch release after the one in a directory."""
    found = re.search(
        r'^RELEASE = "([0-9]+\.[0-9]+\.)([0-9]+)', (code / "service/__init__.py").read_text(), re.MULTILINE
    )
    assert found
    return f"{found[1]}{int(found[2]) + 1}"


def environ_of(code: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which another release runs: its own packages first, and no setting that it lacks."""
    if code == ROOT:
        return dict(environ)
    known = {*re.findall(r"VESTIBULE_[A-Z_]+", (code / "docs/settings.md").read_text()), "VESTIBULE_CONFIG"}
    kept = {name: value for name, value in environ.items() if not name.startswith("VESTIBULE_") or name in known}
    return kept | {"PYTHONPATH": str(code)}


def _new(place: Path, name: str) -> Path:
    """Return a new directory."""
    code = place / name
    code.mkdir()
    return code


def _usable(code: Path) -> Path:
    """Compile, as an installation does: the servers' user may not write here."""
    compileall.compile_dir(code / "service", quiet=1)
    return code


def _replace(path: Path, pattern: str, by: str) -> None:
    text, times = re.subn(pattern, by, path.read_text(), flags=re.MULTILINE)
    assert times == 1, f"{path}: {pattern} is there {times} times"
    path.write_text(text)


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
