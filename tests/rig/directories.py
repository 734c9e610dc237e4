"""Directories for the servers that tests start: of the user that they run as, and removed afterwards."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def give_away(directory: Path) -> None:
    """As root, make the user that the servers run as the owner of everything in a directory."""
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        for path in (directory, *directory.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)


@contextmanager
def server_directory(name: str, *, mode: int = 0o700, below: str | None = None) -> Iterator[Path]:
    """Yield a new directory that the servers' user owns; its path is short enough for sockets."""
    path = Path(tempfile.mkdtemp(prefix=f"vestibule-{name}-", dir=below))
    path.chmod(mode)
    give_away(path)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
