"""Networks that an operator shut out get one short refusal, whatever they ask for.

The list is read again at most once a second in each worker, so a block holds everywhere within a second. A database
that does not answer leaves the list as it was.
"""

import threading
import time
from typing import Final

from flask import Flask, Response, request

from service.access.blocks import Fence
from service.services import Services, Unavailable
from service.web import context, errors, telemetry
from service.web.sentences import BLOCKED

READ_EVERY_SECONDS: Final = 0.9
SCOPE: Final = "block"


class _Watch:
    """The list as this worker last read it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._reading = threading.Lock()
        self._read_at = float("-inf")
        self._fence = Fence([])

    def fence(self, moment: float, *, now: int) -> Fence:
        """Return the list; one thread reads it again when it is due, and the others do not wait for it."""
        if moment - self._read_at >= READ_EVERY_SECONDS and self._reading.acquire(blocking=False):
            try:
                self._fence = Fence(self._services.blocks.all(now=now))
            except Unavailable:
                pass  # whoever needs the database says so
            finally:
                self._read_at = moment
                self._reading.release()
        return self._fence


def init_app(app: Flask, services: Services) -> None:
    """Refuse whoever is shut out, before anything is read, counted or looked up for them."""
    watch = _Watch(services)

    def refuse() -> Response | None:
        if request.path in telemetry.OPS_PATHS:
            return None
        fence = watch.fence(time.monotonic(), now=context.now())
        if not fence.shuts_out(context.client().address, now=context.now()):
            return None
        telemetry.count_throttled(SCOPE)
        return errors.answer(403, said=BLOCKED, home_url=None)

    app.before_request(refuse)
