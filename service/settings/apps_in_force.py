"""The apps in force: the judged set that `proxy render` wrote, looked at again at most once a second.

Without the file there are no apps, so that every request for one is refused. A file that cannot be read leaves the last
set in force.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from service.access.judged_set import EMPTY, JudgedSet, from_json
from service.refresh import Refresh

FILE: Final = "apps.json"


class AppsInForce:
    """The judged set of one process; safe for threads."""

    def __init__(self, nginx_dir: Path, *, timer: Callable[[], float] = time.monotonic) -> None:
        self._path = nginx_dir / FILE
        self._timer = timer
        self._refresh = Refresh()
        self._seen: tuple[int, int, int] | None = None
        self._set = EMPTY
        self._is_readable = True
        self()

    def __call__(self) -> JudgedSet:
        self._refresh(self._timer(), self._look)
        return self._set

    def is_readable(self) -> bool:
        """Whether the file was in order, or missing, when it was looked at."""
        self()
        return self._is_readable

    def _look(self) -> None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - once a second, and once a process at the least
            seen = found.st_mtime_ns, found.st_ino, found.st_size
            if seen != self._seen:
                self._set, self._seen = from_json(self._path.read_text("utf-8")), seen
            self._is_readable = True
        except FileNotFoundError:
            self._set, self._seen, self._is_readable = EMPTY, None, True
        except (OSError, ValueError):
            self._is_readable = False
