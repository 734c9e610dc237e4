"""The apps in force: the judged set that `proxy render` wrote, looked at again at most once a second.

Without the file there are no apps, so that every request for one is refused. A file that cannot be read leaves the last
set in force.
"""

import os
import threading
import time
from pathlib import Path
from typing import Final

from service.access.judged_set import EMPTY, JudgedSet, from_json

FILE: Final = "apps.json"
LOOK_EVERY_SECONDS: Final = 0.9


class AppsInForce:
    """The judged set of one process; safe for threads. `is_readable`: the file was in order when it was looked at."""

    def __init__(self, nginx_dir: Path) -> None:
        self._path = nginx_dir / FILE
        self._looking = threading.Lock()
        self._look_at = 0.0
        self._seen: tuple[int, int, int] | None = None
        self._set = EMPTY
        self.is_readable = True
        self._look()

    def __call__(self) -> JudgedSet:
        """Return the set in force."""
        if time.monotonic() >= self._look_at and self._looking.acquire(blocking=False):
            try:
                self._look()
                self._look_at = time.monotonic() + LOOK_EVERY_SECONDS
            finally:
                self._looking.release()
        return self._set

    def _look(self) -> None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - once a second, and once a process at the least
            seen = found.st_mtime_ns, found.st_ino, found.st_size
            if seen != self._seen:
                self._set, self._seen = from_json(self._path.read_text("utf-8")), seen
            self.is_readable = True
        except FileNotFoundError:
            self._set, self._seen, self.is_readable = EMPTY, None, True
        except (OSError, ValueError):
            self.is_readable = False
