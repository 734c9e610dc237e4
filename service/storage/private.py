"""Files and directories for their owner alone."""

import os
from pathlib import Path


def make_file(path: Path) -> None:
    """Make an empty file that only its owner may read; for root, the owner of the directory it lies in.

    A name that is taken, by a symbolic link too, is refused: it may have been put there for root to follow.
    """
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(handle, owner.st_uid, owner.st_gid)
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """Make a directory that only its owner may enter; for root, the owner of the directory it lies in."""
    if path.is_dir():
        return
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
