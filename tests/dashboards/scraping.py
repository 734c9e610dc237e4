"""An installation with people in it, and a Prometheus that scrapes it under the jobs' real names."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from tests.bench import people
from tests.dashboards import traffic
from tests.dashboards.traffic import Known
from tests.rig import prometheus
from tests.rig.prometheus import Prometheus
from tests.rig.servers import Servers, prepared
from tests.rig.until import until

_JOBS: Final = {"vestibule": "/metrics", "vestibule-edge": "/edge/metrics"}


@dataclass(frozen=True)
class Scraped:
    """Running servers, the people who are signed in to them, and the Prometheus that scrapes them."""

    servers: Servers
    known: Sequence[Known]
    prometheus: Prometheus


@contextmanager
def scraped(*, each_seconds: int) -> Iterator[Scraped]:
    """Yield an installation whose every job was scraped once, and end it."""
    with prepared(workers=2) as servers:
        people.populate(servers, traffic.ACCOUNTS)
        servers.start()
        servers.start_metrics()
        known = traffic.settle(servers)
        with prometheus.running(_configuration(servers.ops_port, each_seconds)) as running:
            until(lambda: running.scraped() == _JOBS.keys(), "every job is scraped")
            yield Scraped(servers, known, running)


def _configuration(ops_port: int, each_seconds: int) -> dict[str, object]:
    targets = [{"targets": [f"127.0.0.1:{ops_port}"]}]
    jobs = [{"job_name": job, "metrics_path": path, "static_configs": targets} for job, path in _JOBS.items()]
    return {"global": {"scrape_interval": f"{each_seconds}s"}, "scrape_configs": jobs}
