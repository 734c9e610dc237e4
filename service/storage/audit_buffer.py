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
_LOST: Final = "%d entries are missing in the audit trail: the log has them"
_log: Final = logging.getLogger(__name__)


class AuditBuffer:
    """Entries that wait for the writer thread, which starts at first use, or for the end of the process.

    A database that does not answer is tried again; entries that do not fit meanwhile are lost, and the log counts them.
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
                self._writer = threading.Thread(target=self._run, name="audit-buffer", daemon=True)
                self._writer.start()
                atexit.register(self.write)
            self._changed.notify()

    def write(self) -> None:
        """Write all waiting entries; those that the database does not take go on waiting.

        One thread at a time: a process that ends waits until its writer has finished.
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
            _log.warning("audit entries wait until the database answers: %s", away)
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
