"""One app, loaded by a master and served by workers that are forked from it, as gunicorn does with ours.

Run with PROMETHEUS_MULTIPROC_DIR set; prints what was scraped before, after a first and after a second pair of workers.
"""

import json
import os
import sys
from pathlib import Path

from flask import Flask

from service.metrics_dir import MetricsDir
from service.web.telemetry import multiprocess_metrics
from tests.rig import scraped
from tests.rig.wire import ask, post
from tests.rig.world import World


def work(app: Flask) -> None:
    """Serve a few requests, as one worker does in its life."""
    ask(app)
    ask(app, "GET", "/nope")
    ask(app, "ODD")
    post(app, "/", "username=alice&password=x")


def pair(app: Flask) -> None:
    """Fork two workers, and wait until both are gone, as the master does when it reloads."""
    workers = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            work(app)
            os._exit(0)
        workers.append(pid)
    for pid in workers:
        os.waitpid(pid, 0)
    multiprocess_metrics.forget_the_dead()


def main() -> None:
    """Print the scrapes as JSON."""
    multiprocess_metrics.prepare(MetricsDir(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]), Path.is_dir))
    quiet, sys.stdout = sys.stdout, sys.stderr
    app = World().app()
    scrapes = [scraped.text(app)]
    for _ in range(2):
        pair(app)
        scrapes.append(scraped.text(app))
    json.dump(scrapes, quiet)


if __name__ == "__main__":
    main()
