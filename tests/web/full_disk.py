"""A process that counts in a directory whose disk is full from the start, and has space later.

Run with PROMETHEUS_MULTIPROC_DIR set, below it a file `filling`; prints what was scraped before and after its removal,
and after the disk was full again and so many new series that the files have to grow.
"""

import json
import os
import sys
from pathlib import Path

from service.metrics_dir import MetricsDir
from service.web.telemetry import multiprocess_metrics
from service.web.telemetry.reporting import counters_of
from tests.rig import scraped
from tests.rig.small_disk import fill
from tests.rig.until import until
from tests.rig.wire import ask
from tests.rig.world import World

COUNTED = "flask_http_request_total"


def main() -> None:
    """Print the scrapes as JSON."""
    directory = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    multiprocess_metrics.prepare(MetricsDir(directory, Path.is_dir))
    quiet, sys.stdout = sys.stdout, sys.stderr
    app = World().app()

    def counted() -> float:
        ask(app)
        return scraped.total(scraped.text(app), COUNTED)

    before = [counted() for _ in range(3)]
    os.unlink(directory / "filling")  # noqa: PTH108
    until(counted, "counts are stored")
    exact = scraped.text(app)
    ask(app)
    filling = fill(directory)
    throttled = counters_of(app).throttled
    for number in range(300):
        throttled.labels(f"scope {number}").inc()
    full = scraped.text(app)
    filling.unlink()

    def stored() -> bool:
        throttled.labels("scope 299").inc()
        return scraped.total(scraped.text(app), "vestibule_throttled_total") >= 300

    until(stored, "all are stored")
    json.dump({"before": before, "exact": exact, "full": full, "after": scraped.text(app)}, quiet)


if __name__ == "__main__":
    main()
