"""Two workers of one app, of which one loses the shared counters and is killed; the other one is scraped.

Run with PROMETHEUS_MULTIPROC_DIR set; prints what the other one said before, after the loss, after the return, after a
second loss, and after the end of the worker that lost them.
"""

import json
import multiprocessing
import os
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from flask import Flask

from service.metrics_dir import MetricsDir
from service.web.telemetry import multiprocess_metrics
from tests.rig import scraped
from tests.rig.world import World


class Worker(NamedTuple):
    """A process forked from the one that loaded the app, and the line to it."""

    pid: int
    line: Connection

    def ask(self, word: str) -> float:
        """Have it do something; what it says then."""
        self.line.send(word)
        answer: float = self.line.recv()
        return answer


def work(app: Flask, world: World, line: Connection) -> None:
    """Do as told until killed."""
    while True:
        word = line.recv()
        if word in {"lost", "back"}:
            world.when_degraded[0](word == "lost")
        line.send(scraped.total(scraped.text(app), "vestibule_counter_store_degraded"))


def started(app: Flask, world: World) -> Worker:
    """Fork a worker."""
    here, there = multiprocessing.Pipe()
    pid = os.fork()
    if pid == 0:
        here.close()
        work(app, world, there)
    return Worker(pid, here)


def end(worker: Worker) -> None:
    """Kill a worker, and do as the master does when one is gone."""
    os.kill(worker.pid, 9)
    os.waitpid(worker.pid, 0)
    multiprocess_metrics.forget_the_dead()


def main() -> None:
    """Print what the second worker said, as JSON."""
    multiprocess_metrics.prepare(MetricsDir(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]), Path.is_dir))
    quiet, sys.stdout = sys.stdout, sys.stderr
    world = World()
    app = world.app()
    one, other = started(app, world), started(app, world)
    said = [other.ask("scrape")]
    for word in ("lost", "back", "lost"):
        one.ask(word)
        said.append(other.ask("scrape"))
    end(one)
    said.append(other.ask("scrape"))
    end(other)
    json.dump(said, quiet)


if __name__ == "__main__":
    main()
