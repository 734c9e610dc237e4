"""Clients of a blocked network get one short refusal instead of every page."""

import time

from flask import Flask, Response, request

from service.access.block_list import Blocks
from service.web import context, errors
from service.web.guard.current_blocks import CurrentBlocks
from service.web.messages import BLOCKED
from service.web.telemetry import reporting as telemetry
from service.web.telemetry.ops_pages import OPS_PATHS


def init_app(app: Flask, blocks: Blocks) -> None:
    """Refuse clients of a blocked network before a form is read or a limit counted."""
    current = CurrentBlocks(blocks)

    def refuse() -> Response | None:
        address = context.client().address
        if request.path in OPS_PATHS or not current.contain(address, time.monotonic(), now=context.now()):
            return None
        telemetry.count_throttled("block")
        return errors.answer(403, message=BLOCKED, home_url=None)

    app.before_request(refuse)
