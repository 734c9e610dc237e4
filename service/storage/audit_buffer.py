"""Entries that are written soon: a flood of wrong passwords costs one transaction a second, not one each."""

import atexit
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from service.login.audit import Entry
from service.services import Unavailable

WAIT_SECONDS: Final = 1.0
MOST: Final = 2000
_LOST: Final = "%d entries are in the log and not in the audit trail"
_log: Final = logging.getLogger(__name__)


class Notes:
    """What waits to be written by one thread of this process, which starts at first use, or by the process as it ends.

    A database that is away is tried again; what does not fit meanwhile is in the log alone, and that is said.
    """

    def __init__(self, write: Callable[[list[Entry]], None]) -> None:
        self._write = write
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._waiting: list[Entry] = []
        self._lost = 0
        self._writer: threading.Thread | None = None

    def take(self, entries: Sequence[Entry]) -> None:
        """Keep entries until they are written. None of them takes as long as some."""
        with self._changed:
            room = MOST - len(self._waiting)
            self._waiting += entries[:room]
            self._lost += len(entries[room:])
            if self._writer is None:
                self._writer = threading.Thread(target=self._run, name="audit-notes", daemon=True)
                self._writer.start()
                atexit.register(self.write)
            self._changed.notify()

    def write(self) -> None:
        """Write what waits. What the database does not take waits on.

        One at a time: a process that ends waits for what its thread is writing, which would else be cut off.
        """
        with self._writing:
            self._write_all()

    def _write_all(self) -> None:
        with self._changed:
            taken, self._waiting = self._waiting, []
            lost, self._lost = self._lost, 0
        if lost:
            _log.error(_LOST, lost)
        if not taken:
            return
        try:
            self._write(taken)
        except Unavailable as away:
            _log.warning("the audit trail waits: %s", away)
            with self._changed:
                kept = [*taken, *self._waiting]
                self._waiting, self._lost = kept[:MOST], self._lost + len(kept[MOST:])
        except Exception:  # noqa: BLE001 - trying again would not help, and the thread goes on with what comes next
            _log.exception(_LOST, len(taken))

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
            time.sleep(WAIT_SECONDS)
            self.write()
