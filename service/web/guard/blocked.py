"""Networks that an operator blocked get one short refusal in place of every page of the service."""

import time
from typing import Final

from flask import Flask, Response, request

from service.services import Services
from service.web import context, errors
from service.web.guard.current_blocks import CurrentBlocks
from service.web.messages import BLOCKED
from service.web.telemetry import reporting as telemetry
from service.web.telemetry.ops_pages import OPS_PATHS

SCOPE: Final = "block"


def init_app(app: Flask, services: Services) -> None:
    """Refuse clients of a blocked network, before a form is read and a limit counted."""
    blocks = CurrentBlocks(services.blocks)

    def refuse() -> Response | None:
        if request.path in OPS_PATHS:
            return None
        if not blocks.shut_out(context.client().address, time.monotonic(), now=context.now()):
            return None
        telemetry.count_throttled(SCOPE)
        return errors.answer(403, said=BLOCKED, home_url=None)

    app.before_request(refuse)
