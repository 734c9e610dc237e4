"""Puts nginx's files and the judged set in force together: no reader meets half of a file, and no fault changes one.

All of them are written below `.new` first, where nginx can test them; then each takes its place by a rename. Wherever
this ends, what stands there is safe: the judged set comes before nginx's files, and while those are older the service
decides alone, and nginx remembers nothing.
"""

import fcntl
import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from service.as_owner import as_owner_of
from service.edge import nginx_process
from service.settings.apps_in_force import FILE as JUDGED_SET

NEW: Final = ".new"


def put(directory: Path, files: Mapping[str, bytes], nginx: Path | None = None) -> None:
    """Write files by their names below a directory; where nginx's directory is given, nginx tests and reads them.

    Files of apps that there are no more are removed; others (`tls/`, those of earlier releases) stay. What nginx
    refuses stays in `.new`, since its message names a line there. Raises OSError; ValueError with nginx's words.
    """
    if nginx:
        nginx_process.tell(nginx, "0")
        nginx_process.refuse_used_ports(directory, files)
    with ExitStack() as locked:
        with as_owner_of(directory) as entered:
            entered.mkdir(parents=True, exist_ok=True)
            lock = os.open(entered, os.O_DIRECTORY | os.O_CLOEXEC)
            locked.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_EX)  # two at once would leave some files of each
            # What is written is as open to nginx's user as the directory is, whatever the umask of a shell.
            locked.callback(os.umask, os.umask(0o777 & ~(entered.stat().st_mode & 0o755)))
            _write_new(entered, files)
        if nginx:
            nginx_process.test(directory / NEW, nginx)
        with as_owner_of(directory) as entered:
            _replace(entered, files)
    if nginx:
        nginx_process.tell(nginx, "HUP")


def _write_new(directory: Path, files: Mapping[str, bytes]) -> None:
    new = directory / NEW
    if new.exists():
        shutil.rmtree(new)
    for name, content in files.items():
        path = new / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (new / "tls").symlink_to("../tls")  # the operator's, which nginx.conf includes


def _replace(directory: Path, files: Mapping[str, bytes]) -> None:
    for name in sorted(files, key=_turn):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (directory / NEW / name).replace(path)
    for path in (directory / "apps").glob("*.conf"):
        if f"apps/{path.name}" not in files:
            path.unlink()
    shutil.rmtree(directory / NEW)


def _turn(name: str) -> int:
    """Return a file's turn: pages (their names hold a version), the judged set, apps, what they include, nginx.conf."""
    if name.startswith("apps/"):
        return 2
    return {JUDGED_SET: 1, "nginx.conf": 4}.get(name, 0 if "/" in name else 3)
