"""Networks that an operator shut out get one short refusal in place of every page of the service.

The list is read again at most once a second in each worker, so a block holds everywhere within a second. A database
that does not answer leaves the list as it was.
"""

import threading
import time
from contextlib import suppress
from typing import Final

from flask import Flask, Response, request

from service.access.blocks import Fence
from service.services import Services, Unavailable
from service.web import context, errors
from service.web.sentences import BLOCKED
from service.web.telemetry import reporting as telemetry
from service.web.telemetry.ops_pages import OPS_PATHS

READ_EVERY_SECONDS: Final = 0.9
LONGEST_READ_SECONDS: Final = 1.0
SCOPE: Final = "block"


class _Watch:
    """The list as this worker last read it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._reading = threading.Lock()
        self._read_at = float("-inf")
        self._fence = Fence([])

    def fence(self, moment: float, *, now: int) -> Fence:
        """Return the list. One thread reads it again when it is due; the others wait only when theirs is too old."""
        age = moment - self._read_at
        patience = LONGEST_READ_SECONDS if age >= 2 * READ_EVERY_SECONDS else 0
        if age >= READ_EVERY_SECONDS and self._reading.acquire(timeout=patience):
            try:
                if self._read_at < moment:  # nobody else did it meanwhile
                    self._read(now)
                    self._read_at = moment
            finally:
                self._reading.release()
        return self._fence

    def _read(self, now: int) -> None:
        with suppress(Unavailable):  # whoever needs the database says so
            self._fence = Fence(self._services.blocks.all(now=now))


def init_app(app: Flask, services: Services) -> None:
    """Refuse whoever is shut out, before a form is read and a limit counted."""
    watch = _Watch(services)

    def refuse() -> Response | None:
        if request.path in OPS_PATHS:
            return None
        fence = watch.fence(time.monotonic(), now=context.now())
        if not fence.shuts_out(context.client().address, now=context.now()):
            return None
        telemetry.count_throttled(SCOPE)
        return errors.answer(403, said=BLOCKED, home_url=None)

    app.before_request(refuse)
