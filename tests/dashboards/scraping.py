"""A Prometheus that scrapes the ops listener, under the jobs' real names."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.rig import prometheus
from tests.rig.prometheus import Prometheus
from tests.rig.servers import Servers
from tests.rig.until import until

_JOBS: Final = {"vestibule": "/metrics", "vestibule-edge": "/edge/metrics"}


@contextmanager
def scraping(servers: Servers, seconds: int = 1) -> Iterator[Prometheus]:
    """Yield a Prometheus that has scraped every job once, and end it."""
    targets = [{"targets": [f"127.0.0.1:{servers.ops_port}"]}]
    jobs = [{"job_name": job, "metrics_path": path, "static_configs": targets} for job, path in _JOBS.items()]
    configuration = {"global": {"scrape_interval": f"{seconds}s"}, "scrape_configs": jobs}
    with prometheus.running(configuration) as running:
        until(lambda: running.scraped() == _JOBS.keys(), "every job is scraped")
        yield running
