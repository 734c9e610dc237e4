"""What a flood is compared with: the same service without its gate. A password is hashed in the thread that answers."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from flask import Flask

from service.app import build_services, create_app
from service.hashing.fair_queue import Job, Key
from service.hashing.gate import HashingGate, Result, Shed
from service.settings import load
from service.web.telemetry.logs import configure_logging

UNGATED: Final = "tests.bench.ungated:application()"


class Ungated(HashingGate):
    """Runs everything at once, at the priority of everything else, as often at a time as there are threads."""

    def _join(self, key: Key) -> Job | None:
        return Job(key)

    def work(self, job: Job, work: Callable[[], Result]) -> Result | Shed:  # noqa: ARG002 - no job waits
        """Return what `work` returns, for every key."""
        return work()


def application() -> Flask:
    """Return the service as it would be."""
    configure_logging()
    services, gate = build_services(load()), Ungated(threads=1, waiting=1, timer=time.monotonic)
    return create_app(replace(services, verifier=replace(services.verifier, gate=gate)))
